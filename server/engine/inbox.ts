import type { Input } from '../domain/input.ts';

/** Where dispatch hands in what nodes say. Bounded: whoever offers more waits. */
export class Inbox {
  #inputs: Input[] = [];
  #taken: (() => void)[] = [];
  #durable: Offer[] = [];
  readonly #wake: () => void;
  readonly #limit: number;

  /** @param wake Called whenever something is there to be taken. */
  constructor(wake: () => void, limit = 100_000) {
    this.#wake = wake;
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#inputs.length === 0;
  }

  /** Resolves when there is room for more: at once, as a rule. */
  offer(inputs: readonly Input[]): Promise<void> | void {
    for (const input of inputs) this.#inputs.push(input);
    this.#wake();
    if (this.#inputs.length < this.#limit) return;
    return new Promise((resolve) => this.#taken.push(resolve));
  }

  /** Resolves when what came of the inputs is durable; rejects when the engine dropped them: offer them again. */
  settled(inputs: readonly Input[]): Promise<void> {
    const durable = new Promise<void>((resolve, reject) => this.#durable.push({ resolve, reject }));
    void this.offer(inputs);
    return durable;
  }

  /** Takes everything that is there. */
  take(): Taken {
    const taken = { inputs: this.#inputs, offers: this.#durable };
    this.#inputs = [];
    this.#durable = [];
    for (const resolve of this.#taken.splice(0)) resolve();
    return taken;
  }

  /** Drops everything: the engine is about to reload, and nodes will say it all again. */
  clear(error: Error): void {
    for (const offer of this.take().offers) offer.reject(error);
  }
}

/** Somebody who waits for a batch to be durable. */
export interface Offer {
  resolve(): void;
  reject(error: Error): void;
}

export interface Taken {
  readonly inputs: readonly Input[];
  readonly offers: readonly Offer[];
}
