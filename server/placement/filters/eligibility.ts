import type { Filter } from '../filter.ts';

/** New work goes only to a node that is heard and that nobody has taken out of service. */
export const eligibility: Filter = {
  code: 'NODE_NOT_ELIGIBLE',
  tier: 'HEALTH',
  undoneBy: ['NODE_JOINED', 'ELIGIBILITY_CHANGED'],
  refuse(_shape, { name, connection, eligibility: state }) {
    const refused = (message: string, remedy: string, relief: string) => ({
      code: eligibility.code,
      message,
      remedy,
      relief,
    });
    if (connection === 'LOST') {
      return refused(
        `Node ${name} is lost: its agent is not heard any more.`,
        `Start the agent of ${name} again.`,
        'start the agent again',
      );
    }
    if (connection === 'SUSPECT') {
      return refused(
        `Node ${name} is suspect: its agent has not been heard for a while.`,
        `Wait until it is heard again, or look after the agent of ${name}.`,
        'wait until the agent is heard again',
      );
    }
    switch (state) {
      case 'ELIGIBLE':
        return null;
      case 'CORDONED':
        return refused(`Node ${name} is cordoned.`, `Uncordon ${name}.`, 'uncordon');
      case 'DRAINING':
      case 'DRAINED':
        return refused(
          `Node ${name} is ${state === 'DRAINING' ? 'being drained' : 'drained'}.`,
          `Make ${name} eligible again.`,
          'end the draining',
        );
      default:
        return state satisfies never;
    }
  },
};
