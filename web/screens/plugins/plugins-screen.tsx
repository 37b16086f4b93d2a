import { Plugins, type PluginsData } from '../../client/operations.ts';
import { useQuery } from '../../client/use-query.ts';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { Page } from '../../design/page.tsx';
import { PluginCard } from './plugin-card.tsx';

export type Plugin = PluginsData['plugins'][number];

/** What is loaded into this server, and what could not be: it changes when the server is started, and only then. */
export function PluginsScreen() {
  const { data, fault, reload } = useQuery(Plugins, {});
  const plugins = data?.plugins ?? [];
  const broken = plugins.filter(({ state }) => state !== 'LOADED');
  const group = (kind: Plugin['kind']): readonly Plugin[] =>
    plugins.filter((plugin) => plugin.state === 'LOADED' && plugin.kind === kind);
  return (
    <Page title="Plugins">
      {fault ? <FaultNotice fault={fault} retry={reload} /> : null}
      {data === null && !fault ? <Loading what="the plugins" /> : null}
      <Group title="Not loaded" plugins={broken} />
      <Group title="Schedulers" plugins={group('SCHEDULER')} />
      <Group title="Runners" plugins={group('RUNNER')} />
      {data !== null && plugins.length === 0 ? <Empty title="There are no plugins">Install one with npm.</Empty> : null}
      {data === null ? null : (
        <p className="faint">
          More are loaded with <code>--plugins</code> or the key <code>plugins</code> of the configuration file, when
          the server starts.
        </p>
      )}
    </Page>
  );
}

function Group({ title, plugins }: { readonly title: string; readonly plugins: readonly Plugin[] }) {
  if (plugins.length === 0) return null;
  return (
    <section className="stack">
      <h2>{title}</h2>
      <div className="plugin-cards">
        {plugins.map((plugin) => (
          <PluginCard key={`${plugin.kind} ${plugin.name}`} plugin={plugin} />
        ))}
      </div>
    </section>
  );
}
