import { JsonView } from '../../design/json-view.tsx';
import { StateBadge } from '../../design/state-mark.tsx';
import type { Plugin } from './plugins-screen.tsx';
import { propertiesOf } from './schema-properties.ts';

/** A plugin: what it is for, what it can be told, and what is wrong with it. */
export function PluginCard({ plugin }: { readonly plugin: Plugin }) {
  const { kind, name, version, contract, summary, state, reason, configSchema } = plugin;
  const properties = propertiesOf(configSchema);
  return (
    <article className="panel plugin-card">
      <header className="panel-head">
        <h3 className="mono">{name}</h3>
        <span className="faint">
          {version === '' ? '' : `${version} · `}
          {contract === '' ? 'no contract' : `contract ${contract}`}
        </span>
        <StateBadge state={state} />
      </header>
      <div className="panel-body stack">
        {summary === '' ? null : <p>{summary}</p>}
        {reason === null ? null : (
          <div className={`notice tone-${state === 'LOADED' ? 'warn' : 'bad'}`}>
            <div>
              <strong>{reason.message}</strong> {reason.remedy}
            </div>
          </div>
        )}
        {configSchema === null ? null : (
          <details>
            <summary>{kind === 'RUNNER' ? 'What a task writes under with' : 'Config'}</summary>
            {properties.length === 0 ? (
              <p className="faint">It has nothing to set, or says so in its schema alone.</p>
            ) : (
              <div className="scroll" role="region" aria-label={`Config of ${name}`} tabIndex={0}>
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Name</th>
                      <th scope="col">Type</th>
                      <th scope="col">Unless told</th>
                      <th scope="col">Meaning</th>
                    </tr>
                  </thead>
                  <tbody>
                    {properties.map((property) => (
                      <tr key={property.name}>
                        <th scope="row" className="mono">
                          {property.name}
                          {property.isRequired ? <span className="faint"> needed</span> : null}
                        </th>
                        <td className="mono">{property.type}</td>
                        <td className="mono">{property.standard}</td>
                        <td>{property.description}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <details>
              <summary>JSON Schema</summary>
              <JsonView value={configSchema} empty="Nothing." />
            </details>
          </details>
        )}
      </div>
    </article>
  );
}
