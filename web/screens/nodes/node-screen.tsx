import type { NodeRow } from '../../client/operations.ts';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { Page } from '../../design/page.tsx';
import { CordonButton } from './cordon-button.tsx';
import { EndedAttemptsPanel } from './ended-attempts.tsx';
import { FillFacts } from './fill-bars.tsx';
import { newestNode, useLiveNode } from './live-node.ts';
import { NodeAttempts } from './node-attempts.tsx';
import { NodeFacts, NodeRunners } from './node-facts.tsx';
import { fillsOf } from './node-groups.ts';
import { NodeHistory } from './node-history.tsx';
import { NodeBadges } from './node-state.tsx';

const above = { href: '/nodes', name: 'Nodes' };

/** A node, live: what it is, how full, what runs there, what has happened to it. */
export function NodeScreen({ name }: { readonly name: string }) {
  const { data: view, fault, reload, change } = useLiveNode(name);
  if (view === null) {
    return (
      <Page title={name} above={above}>
        {fault ? <FaultNotice fault={fault} retry={reload} /> : <Loading what="the node" />}
      </Page>
    );
  }
  const { node } = view;
  const changed = (now: NodeRow): void => change((old) => void (old.node = newestNode(old.node, now)));
  return (
    <Page
      title={name}
      above={above}
      beside={<NodeBadges node={node} />}
      actions={<CordonButton node={node} changed={changed} asksWhy />}
    >
      {fault ? <FaultNotice fault={fault} retry={reload} /> : null}
      <section className="panel pad" aria-label="Fill">
        <FillFacts fills={fillsOf(node)} />
      </section>
      <div className="node-body">
        <div className="stack">
          <section className="panel">
            <header className="panel-head">
              <h2>Running now</h2>
              <span className="faint">{node.runningCount.toLocaleString()}</span>
            </header>
            <NodeAttempts view={view} />
          </section>
          <NodeHistory name={name} />
          <EndedAttemptsPanel name={name} />
        </div>
        <div className="stack">
          <section className="panel">
            <header className="panel-head">
              <h2>About</h2>
            </header>
            <div className="panel-body">
              <NodeFacts node={node} />
            </div>
          </section>
          <section className="panel">
            <header className="panel-head">
              <h2>Runners</h2>
            </header>
            <div className="panel-body">
              <NodeRunners runners={node.runners} />
            </div>
          </section>
        </div>
      </div>
    </Page>
  );
}
