import type { NodeRecordType } from '../../client/operations.ts';
import type { AnyState } from '../../design/states.ts';

interface Words {
  readonly word: string;
  /** The state whose mark it bears: the one that it brought about. */
  readonly state: AnyState;
}

const WORDS: Readonly<Record<NodeRecordType, Words>> = {
  REGISTERED: { word: 'Registered', state: 'ELIGIBLE' },
  RETURNED: { word: 'Returned after a restart', state: 'ELIGIBLE' },
  SUSPECTED: { word: 'Not heard of for a while', state: 'SUSPECT' },
  LOST: { word: 'Lost', state: 'LOST' },
  HEARD_AGAIN: { word: 'Heard of again', state: 'ELIGIBLE' },
  CORDONED: { word: 'Cordoned', state: 'CORDONED' },
  UNCORDONED: { word: 'Uncordoned', state: 'ELIGIBLE' },
  CHANGED: { word: 'Changed', state: 'READY' },
  RUNNER_FAILED: { word: 'A runner failed', state: 'FAULTY' },
  RUNNER_RECOVERED: { word: 'A runner recovered', state: 'HEALTHY' },
};

/** What a record of a node is called, and how it looks. */
export const wordsOfRecord = (type: NodeRecordType): Words => WORDS[type];
