import type { ReactNode } from 'react';
import type { NodeRow } from '../../client/operations.ts';
import { Ago, At } from '../../design/times.tsx';

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div className="pair">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** What a node is. */
export function NodeFacts({ node }: { readonly node: NodeRow }) {
  const { poolName, connection, heardAt, registeredAt, incarnation, agentVersion, labels, taints } = node;
  return (
    <dl className="facts">
      <Fact name="Pool">{poolName}</Fact>
      {/* While it is well, the time of its last word is not written down each time. */}
      <Fact name="Heard">{connection === 'READY' ? 'all the time' : <Ago at={heardAt} />}</Fact>
      <Fact name="Agent">
        {agentVersion}, {incarnation === 1 ? 'started once' : `started ${incarnation} times`}
      </Fact>
      <Fact name="First came">
        <At at={registeredAt} />
      </Fact>
      <Fact name="Labels">
        <span className="chips">
          {labels.length === 0 ? <span className="faint">none</span> : null}
          {labels.map(({ key, value }) => (
            <span key={key} className="chip mono">
              {key}={value}
            </span>
          ))}
        </span>
      </Fact>
      <Fact name="Taints">
        <span className="chips">
          {taints.length === 0 ? <span className="faint">none</span> : null}
          {taints.map(({ key, value, effect }) => (
            <span key={key} className="chip mono">
              {value === null ? key : `${key}=${value}`} {effect.toLowerCase().replace('_', ' ')}
            </span>
          ))}
        </span>
      </Fact>
    </dl>
  );
}

const HEALTH = { HEALTHY: ['good', 'healthy'], UNHEALTHY: ['bad', 'unhealthy'], ABSENT: ['idle', 'absent'] } as const;

/** The runners that a node offers, how they are, and which limits they really enforce. */
export function NodeRunners({ runners }: Pick<NodeRow, 'runners'>) {
  if (runners.length === 0) return <p className="faint">It offers no runner.</p>;
  return (
    <ul className="node-runners">
      {runners.map(({ name, version, health, message, enforces }) => (
        <li key={name}>
          <span className="spread">
            <span>
              <span className="mono strong">{name}</span> <span className="faint">{version}</span>
            </span>
            <span className={`badge tone-${HEALTH[health][0]}`}>{HEALTH[health][1]}</span>
          </span>
          {message === null ? null : <p>{message}</p>}
          <p className="hint">
            {enforces.length === 0 ? 'Enforces no limits' : `Enforces limits on ${enforces.join(', ')}`}
          </p>
        </li>
      ))}
    </ul>
  );
}
