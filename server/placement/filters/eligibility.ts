import type { ClusterNode, Filter, Refusal } from '../filter.ts';

/** New work goes only to a node that is heard and that nobody has taken out of service. */
export const eligibility: Filter = {
  code: 'NODE_NOT_ELIGIBLE',
  tier: 'HEALTH',
  undoneBy: ['NODE_JOINED', 'ELIGIBILITY_CHANGED'],
  passes: (_shape, { connection, eligibility: state }) => connection === 'READY' && state === 'ELIGIBLE',
  refuse(_shape, node) {
    const { name, eligibility: state } = node;
    const refusals = unheard(node);
    switch (state) {
      case 'ELIGIBLE':
        return refusals;
      case 'CORDONED':
        return [
          ...refusals,
          {
            code: eligibility.code,
            message: `Node ${name} is cordoned.`,
            ways: [{ kind: 'UNCORDON' }],
          },
        ];
      default:
        return state satisfies never;
    }
  },
};

function unheard({ name, connection }: ClusterNode): readonly Refusal[] {
  switch (connection) {
    case 'READY':
      return [];
    case 'LOST':
      return [
        {
          code: eligibility.code,
          message: `Node ${name} is lost: its agent is not heard any more.`,
          ways: [{ kind: 'RECONNECT', isLost: true }],
        },
      ];
    case 'SUSPECT':
      return [
        {
          code: eligibility.code,
          message: `Node ${name} is suspect: its agent has not been heard for a while.`,
          ways: [{ kind: 'RECONNECT', isLost: false }],
        },
      ];
    default:
      return connection satisfies never;
  }
}
