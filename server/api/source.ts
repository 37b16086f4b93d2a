import type { ApiContext } from './context.ts';

/**
 * A subscription's source that can be ended from outside while it waits: an async generator alone would only notice
 * after its next event.
 */
export function source<Item>(
  { signal }: ApiContext,
  follow: (signal: AbortSignal) => AsyncIterable<Item>,
): AsyncIterableIterator<Item> {
  const ended = new AbortController();
  const both = signal === null ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const inner = follow(both)[Symbol.asyncIterator]();
  return {
    next: () => inner.next(),
    async return() {
      ended.abort();
      await inner.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
