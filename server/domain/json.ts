import type { Json } from '@gantry/plugin-kit/vocabulary';

/** How large a value from outside may be. */
export interface JsonLimits {
  /** Lists and objects within each other; a bare string has depth 0. */
  readonly depth: number;
  /** Values of any kind, keys not counted. */
  readonly values: number;
  /** Characters of all strings and keys together. */
  readonly characters: number;
}

/** What is wrong with a value that is to become JSON, and where. */
export interface JsonFault {
  readonly code: 'NOT_JSON' | 'TOO_DEEP' | 'TOO_LARGE' | 'BAD_CHARACTER' | 'UNSAFE_KEY';
  readonly message: string;
  readonly path: readonly (string | number)[];
}

/**
 * Copies a value from outside into plain JSON that nobody else holds, or says what keeps it from being JSON: functions,
 * dates, NaN, cycles (too deep), NUL and unpaired surrogates (no database takes them), the key `__proto__`. It looks at
 * no more than the limits allow, so hostile input is refused at once. What is undefined in an object is left out.
 */
export function copyJson(
  value: unknown,
  limits: JsonLimits,
): { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly fault: JsonFault } {
  const copier = new Copier(limits);
  try {
    const copy = copier.copy(value, 0);
    return { ok: true, value: copy };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, fault: { code: error.code, message: error.message, path: [...copier.path] } };
  }
}

/** Leaves the recursion; never leaves this file. */
class Refused extends Error {
  readonly code: JsonFault['code'];
  constructor(code: JsonFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

class Copier {
  readonly path: (string | number)[] = [];
  readonly #limits: JsonLimits;
  #values = 0;
  #characters = 0;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  copy(value: unknown, depth: number): Json {
    if (++this.#values > this.#limits.values) throw new Refused('TOO_LARGE', 'It holds too many values.');
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw new Refused('NOT_JSON', `${value} is not a number that JSON knows.`);
      return value === 0 ? 0 : value;
    }
    if (typeof value !== 'object') throw new Refused('NOT_JSON', `A ${typeof value} is not JSON.`);
    if (depth >= this.#limits.depth) {
      throw new Refused('TOO_DEEP', `Lists and objects may lie at most ${this.#limits.depth} levels deep.`);
    }
    return Array.isArray(value) ? this.#list(value, depth) : this.#object(value, depth);
  }

  #list(value: readonly unknown[], depth: number): Json {
    const copy: Json[] = [];
    for (let at = 0; at < value.length; at++) {
      this.path.push(at);
      copy.push(this.copy(value[at], depth + 1));
      this.path.pop();
    }
    return copy;
  }

  #object(value: object, depth: number): Json {
    const prototype: unknown = Object.getPrototypeOf(value);
    // GraphQL input has none; an object of another realm has one whose own prototype is null.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw new Refused('NOT_JSON', 'Only plain objects are JSON.');
    }
    const copy: Record<string, Json> = {};
    for (const key of Object.keys(value)) {
      const inner = (value as Record<string, unknown>)[key];
      if (inner === undefined) continue;
      this.path.push(key);
      if (key === '__proto__') throw new Refused('UNSAFE_KEY', 'The key “__proto__” is not allowed.');
      copy[this.#text(key)] = this.copy(inner, depth + 1);
      this.path.pop();
    }
    return copy;
  }

  #text(text: string): string {
    this.#characters += text.length;
    if (this.#characters > this.#limits.characters) {
      throw new Refused('TOO_LARGE', `It holds more than ${this.#limits.characters} characters.`);
    }
    if (text.includes('\0')) throw new Refused('BAD_CHARACTER', 'Text may not hold the character NUL.');
    if (!text.isWellFormed()) throw new Refused('BAD_CHARACTER', 'Text may not hold half a surrogate pair.');
    return text;
  }
}
