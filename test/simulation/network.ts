import type { World } from './world.ts';

/** How unkind the network is. */
export interface NetworkFaults {
  readonly minMs: number;
  readonly maxMs: number;
  /** Chance that a message is lost, and that it comes twice. */
  readonly loss: number;
  readonly doubling: number;
}

/** Messages between named places: delayed, reordered, lost, doubled, and cut off while a place is partitioned. */
export class SimulatedNetwork {
  readonly #world: World;
  faults: NetworkFaults = { minMs: 1, maxMs: 20, loss: 0, doubling: 0 };
  readonly #cutOff = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  cutOff(place: string): void {
    this.#cutOff.add(place);
  }

  reconnect(place: string): void {
    this.#cutOff.delete(place);
  }

  /** Delivers a copy: what crosses the network shares nothing with its sender. */
  send<Message>(from: string, to: string, message: Message, deliver: (message: Message) => void): void {
    const { random } = this.#world;
    const { minMs, maxMs, loss, doubling } = this.faults;
    const copies = random.chance(loss) ? 0 : random.chance(doubling) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const own = structuredClone(message);
      this.#world.after(random.between(minMs, maxMs), () => {
        if (!this.#cutOff.has(from) && !this.#cutOff.has(to)) deliver(own);
      });
    }
  }
}
