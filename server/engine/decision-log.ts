import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { DecisionRow } from '../domain/decision.ts';
import type { DecidedCall, SchedulerCall } from '../placement/scheduler.ts';

/**
 * What packing calls may cost: so many bytes of JSON a second, and so many at once. A large pool's call counts in full,
 * so it is kept now and then; those of a small one are all kept.
 */
const BYTES_PER_SECOND = 256 << 10;
const BURST_BYTES = 1 << 20;
/** A longer one is not kept: databases refuse what is too long for one statement. */
const MAX_CHARACTERS = 4 << 20;

/** Turns calls of a scheduler into rows, within a budget. */
export class DecisionLog {
  #credit = BURST_BYTES;
  #at: number | null = null;
  readonly #hashes = new WeakMap<object, string>();

  /** @param placed How many task runs came out of it. */
  rowOf({ scheduler, version, input, decisions }: SchedulerCall, placed: number, now: number): DecisionRow {
    const packed = this.#isAffordable(input, now) ? packCall({ input, decisions }) : null;
    const call = packed !== null && packed.length > MAX_CHARACTERS ? null : packed;
    const { seed, tasks } = input;
    const configHash = this.#hashOf(input.config);
    return { at: now, scheduler, version, configHash, seed, offered: tasks.length, placed, call };
  }

  #isAffordable({ nodes, shapes, tasks, resources, running }: SchedulerCall['input'], now: number): boolean {
    const elapsed = Math.max(0, now - (this.#at ?? now));
    this.#at = now;
    this.#credit = Math.min(BURST_BYTES, this.#credit + (elapsed / 1_000) * BYTES_PER_SECOND);
    if (this.#credit <= 0) return false;
    const listed = shapes.reduce((sum, { feasible }) => sum + feasible.length, 0);
    this.#credit -= 120 * tasks.length + (80 + 24 * resources.length) * (nodes.length + running.length) + 6 * listed;
    return true;
  }

  #hashOf(config: unknown): string {
    const isObject = typeof config === 'object' && config !== null;
    const known = isObject ? this.#hashes.get(config) : undefined;
    if (known !== undefined) return known;
    const text = createHash('sha256')
      .update(JSON.stringify(config) ?? 'null')
      .digest('hex');
    if (isObject) this.#hashes.set(config, text);
    return text;
  }
}

/** Base64 of the deflated JSON. */
export function packCall({ input, decisions }: DecidedCall): string {
  const shapes = input.shapes.map(plain);
  return deflateRawSync(JSON.stringify({ input: { ...input, shapes }, decisions }), { level: 1 }).toString('base64');
}

/** The opposite. The text is our own. */
export function unpackCall(text: string): DecidedCall {
  return JSON.parse(inflateRawSync(Buffer.from(text, 'base64')).toString()) as DecidedCall;
}

/** Typed arrays are no lists in JSON. */
const plain = ({ needs, feasible, preference }: SchedulerCall['input']['shapes'][number]) => ({
  needs,
  feasible: Array.from(feasible),
  ...(preference === undefined ? {} : { preference: Array.from(preference) }),
});
