import type { Filter } from './filter.ts';

/** New work goes only to nodes that are heard and that nobody has taken out of service. */
export const eligibility: Filter = {
  code: 'NODE_NOT_ELIGIBLE',
  undoneBy: ['ELIGIBILITY_CHANGED'],
  refuse(_shape, { name, connection, eligibility: state }) {
    if (connection !== 'READY') {
      return {
        code: 'NODE_NOT_READY',
        message: `Node ${name} is ${connection}.`,
        remedy: `Look at the agent on ${name}.`,
      };
    }
    if (state === 'ELIGIBLE') return null;
    return { code: eligibility.code, message: `Node ${name} is ${state}.`, remedy: `gantry uncordon ${name}` };
  },
};
