import { matches, unexpected, type Answer } from './answer.ts';
import type { Reconnect } from './config.ts';
import { shown } from './duration.ts';
import { Exchange, type Ended, type ExchangeOptions } from './exchange.ts';
import { failure, failureOf, ofProxy, unknownOutcome, type Failed } from './failure.ts';
import type { Prepared } from './request.ts';

/** May be sent again when nobody knows whether it arrived: what it asks for is the same as having asked once (RFC 9110). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/** Whether a request may be sent again when nobody knows what became of it. */
export function mayBeRepeated(method: string, { isKeyHeeded }: Pick<CallOptions, 'isKeyHeeded'>): boolean {
  return isKeyHeeded || IDEMPOTENT.has(method);
}

/** One call: what it takes from begin to end, over all of its tries. */
export interface CallOptions extends ExchangeOptions {
  /** For everything: all tries, their delays, and the body of the answer. Null for ever. */
  readonly timeoutMs: number | null;
  readonly reconnect: Reconnect;
  /** Whether the other side heeds the idempotency key: any method may be sent again then. */
  readonly isKeyHeeded: boolean;
  /** Told before each further try. */
  onRetry?(why: Failed, delayMs: number): void;
}

export type CallEnded =
  | { readonly ok: true; readonly answer: Answer }
  | {
      readonly ok: false;
      readonly failure: Failed;
      /** The answer, when there was one that was not expected. */
      readonly answer: Answer | null;
      /** Whether the same call may do better later. */
      readonly isPassing: boolean;
    };

/** An answer that says: not now. */
const NOT_NOW = new Set([408, 425, 429]);
/** Failures after an answer that said what had become of the request. */
const TOLD = new Set(['RESPONSE_TOO_LARGE', 'TOO_MANY_REDIRECTS']);
/** Failures that pass, beside those of the connection. */
const SLOW = new Set(['TIMEOUT', 'ANSWER_TIMEOUT']);

/**
 * A request with as many tries as connections need: further ones only when the connection failed, nothing of an answer
 * came, and it does no harm to send it twice. An answer, whatever it says, is never asked for again.
 */
export class Call {
  readonly #prepared: Prepared;
  readonly #options: CallOptions;
  readonly #settle: (ended: CallEnded) => void;
  #exchange: Exchange | null = null;
  #timer: NodeJS.Timeout | null = null;
  #backOff: NodeJS.Timeout | null = null;
  #tries = 0;
  #wasStale = false;
  #isEnded = false;

  /** @param settle Told once how it ended; not at all when it was dropped. */
  constructor(prepared: Prepared, options: CallOptions, settle: (ended: CallEnded) => void) {
    this.#prepared = prepared;
    this.#options = options;
    this.#settle = settle;
  }

  /** To be called once. */
  begin(): void {
    const { timeoutMs } = this.#options;
    if (timeoutMs !== null) this.#timer = setTimeout(() => this.#timedOut(timeoutMs), timeoutMs);
    this.#try();
  }

  /**
   * Ends it without a word: nobody wants to know any more.
   *
   * @returns Whether nobody can know either what has become of it, and it must not be made again.
   */
  drop(): boolean {
    if (!this.#finish()) return false;
    const isUnknown = this.#isUnknown;
    this.#exchange?.drop();
    return isUnknown;
  }

  /** Whether the other side may have done what must not be done twice. */
  get #isUnknown(): boolean {
    return this.#exchange?.mayBeDone === true && !mayBeRepeated(this.#prepared.method, this.#options);
  }

  #try(): void {
    this.#exchange = new Exchange(this.#prepared, this.#options, (ended) => this.#tried(ended));
    try {
      this.#exchange.begin();
    } catch (error) {
      this.#fail(failureOf(error), false);
    }
  }

  #tried(ended: Ended): void {
    if (ended.ok) {
      const { answer } = ended;
      const { expect } = this.#options;
      if (matches(expect, answer.status)) return this.#end(ended);
      const { proxy } = this.#prepared;
      if (answer.status === 407 && proxy !== null) {
        const why = ofProxy('PROXY_REFUSED', `The proxy ${proxy.origin} does not know the node: 407.`);
        return this.#end({ ok: false, failure: why, answer, isPassing: false });
      }
      const isPassing = answer.status >= 500 || NOT_NOW.has(answer.status);
      this.#end({ ok: false, failure: unexpected(answer, expect), answer, isPassing });
      return;
    }
    const mayRepeat = mayBeRepeated(this.#prepared.method, this.#options);
    if (mayRepeat && ended.isStale && !this.#wasStale) {
      // Nothing is wrong with the service: it closed an idle connection just when the request was on its way.
      this.#wasStale = true;
      this.#try();
      return;
    }
    if (!mayRepeat || !ended.isConnectionError || this.#tries >= this.#options.reconnect.max) {
      this.#fail(ended.failure, ended.isConnectionError);
      return;
    }
    const delayMs = backOffMs(this.#options.reconnect, this.#tries++, Math.random());
    this.#options.onRetry?.(ended.failure, delayMs);
    this.#backOff = setTimeout(() => this.#try(), delayMs);
  }

  #timedOut(timeoutMs: number): void {
    const exchange = this.#exchange;
    this.#fail(
      failure('TIMEOUT', `The call took longer than ${shown(timeoutMs)}.`, 'Raise timeout, or ask for less.'),
      true,
    );
    exchange?.drop();
  }

  /** A request that may have been done and not be made again ends without anybody knowing how. */
  #fail(why: Failed, isPassing: boolean): void {
    const isTold = TOLD.has(why.reason.code);
    const failure = this.#isUnknown && !isTold ? unknownOutcome(why) : why;
    this.#end({ ok: false, failure, answer: null, isPassing: isPassing || SLOW.has(why.reason.code) });
  }

  #end(ended: CallEnded): void {
    if (this.#finish()) this.#settle(ended);
  }

  /** False when it had ended before. */
  #finish(): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#backOff !== null) clearTimeout(this.#backOff);
    return true;
  }
}

/**
 * How long to wait before a further try: twice as long each time, up to the cap, and between half and all of it, so that
 * those who failed together do not come back together.
 *
 * @param tries How many further ones there were before.
 * @param chance From 0 to 1.
 */
export function backOffMs({ delay, maxDelay }: Omit<Reconnect, 'max'>, tries: number, chance: number): number {
  return Math.round(Math.min(delay * 2 ** tries, maxDelay) * (0.5 + chance / 2));
}
