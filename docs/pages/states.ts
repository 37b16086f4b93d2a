import { attemptTransitions } from '../../server/domain/attempt.ts';
import { connectionTransitions, eligibilityTransitions } from '../../server/domain/node.ts';
import { runTransitions } from '../../server/domain/run.ts';
import { taskRunTransitions } from '../../server/domain/task-run.ts';
import { readSchema } from './read-schema.ts';
import { code, heading, page, table } from './markdown.ts';

type Transitions = Readonly<Record<string, readonly string[]>>;

interface Machine {
  readonly title: string;
  readonly about: string;
  readonly source: string;
  readonly transitions: Transitions;
  /** The GraphQL enum that describes the states. */
  readonly enumName: string;
  readonly first: string;
}

const MACHINES: readonly Machine[] = [
  {
    title: 'Run',
    about: 'One execution of a pipeline version.',
    source: 'server/domain/run.ts',
    transitions: runTransitions,
    enumName: 'RunState',
    first: 'QUEUED',
  },
  {
    title: 'TaskRun',
    about: 'One task in one run, one per item where the task fans out.',
    source: 'server/domain/task-run.ts',
    transitions: taskRunTransitions,
    enumName: 'TaskRunState',
    first: 'WAITING',
  },
  {
    title: 'Attempt',
    about: 'One try of a task run on one node. A retry is a new attempt.',
    source: 'server/domain/attempt.ts',
    transitions: attemptTransitions,
    enumName: 'AttemptState',
    first: 'ASSIGNED',
  },
  {
    title: 'Node: connection',
    about: 'Whether the server hears from the node.',
    source: 'server/domain/node.ts',
    transitions: connectionTransitions,
    enumName: 'NodeConnectionState',
    first: 'READY',
  },
  {
    title: 'Node: eligibility',
    about: 'Whether new work may go there; independent of the connection.',
    source: 'server/domain/node.ts',
    transitions: eligibilityTransitions,
    enumName: 'NodeEligibility',
    first: 'ELIGIBLE',
  },
];

/** docs/reference/states.md */
export function statesPage(): string {
  const intro =
    'Everything that has a state has one table of transitions. A change that the table does not allow is a bug: it ' +
    'throws, the engine drops its memory and reloads from the store. A state without successors is terminal and never changes.';
  return page([heading('States', intro, 'the transition tables in server/domain'), ...MACHINES.map(section)]);
}

function section({ title, about, source, transitions, enumName, first }: Machine): string {
  const meanings = readSchema().getType(enumName);
  const meaningOf = (state: string): string =>
    meanings && 'getValue' in meanings ? (meanings.getValue(state)?.description ?? '') : '';
  const rows = Object.entries(transitions).map(([state, next]) => [
    code(state),
    meaningOf(state),
    next.length === 0 ? '*terminal*' : next.map(code).join(', '),
  ]);
  return page([
    `## ${title}`,
    `${about} The table is in [\`${source}\`](../../${source}).`,
    table(['state', 'means', 'may be followed by'], rows),
    `\`\`\`mermaid\n${diagram(transitions, first)}\n\`\`\``,
  ]);
}

function diagram(transitions: Transitions, first: string): string {
  const arrows = Object.entries(transitions).flatMap(([from, next]) =>
    next.length === 0 ? [`  ${from} --> [*]`] : next.map((to) => `  ${from} --> ${to}`),
  );
  return ['stateDiagram-v2', `  [*] --> ${first}`, ...arrows].join('\n');
}
