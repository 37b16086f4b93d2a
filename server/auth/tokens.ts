import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Service } from '../lifecycle.ts';
import type { Store, Token } from '../store/store.ts';
import type { Role } from './roles.ts';
import type { Viewer } from './viewer.ts';

/** What every token that Gantry makes begins with, so that scanners find one that has leaked. */
export const TOKEN_PREFIX = 'gantry_';

/** How long a verified token is believed without asking the store again. Milliseconds. */
const BELIEVED_MS = 3_000;
/** How often tokens with open connections are looked up again. With the above: a revoked one ends within 5 s. */
const WATCH_MS = 2_000;
/** How often `lastUsedAt` is written. Milliseconds. */
const TOUCH_MS = 60_000;
/** Verified tokens kept in memory; the oldest go first. */
const KEPT = 10_000;
/** Characters of a token; anything longer is none of ours and is not even hashed. */
const MAX_CHARACTERS = 512;
/** What is shown of a token, to tell tokens apart. */
const SHOWN_CHARACTERS = TOKEN_PREFIX.length + 5;

/** A token that was just made: the only time that anybody sees it. */
export interface CreatedToken {
  readonly token: Token;
  readonly secret: string;
}

/** Who is let in. The tokens themselves are never kept: only their SHA-256. */
export interface Tokens extends Service {
  /** Who the token stands for; null when it is unknown, expired or revoked. May reject with StoreUnavailable. */
  verify(secret: string): Viewer | null | Promise<Viewer | null>;
  /** Whether the viewer's token is still good, as far as is known here at this moment. */
  isGood(viewer: Viewer): boolean;
  /** Calls back once when the token is found to be no longer good, at most 5 s late. The result stops watching. */
  watch(viewer: Viewer, onEnd: () => void): () => void;
  /** Makes a token; null when one of the name is still good. */
  create(
    facts: { readonly name: string; readonly role: Role; readonly expiresInMs: number | null },
    actor: string,
  ): Promise<CreatedToken | null>;
  /** False when there is none with this id that could be revoked. */
  revoke(id: string, actor: string): Promise<boolean>;
  /**
   * Makes sure that somebody can get in. With `given`, that is the admin's token from now on. Without, one is made
   * when there is no good admin token. The secret when it was made or given, null when an earlier one goes on.
   */
  ensureAdmin(given: string | undefined): Promise<string | null>;
}

interface Known {
  readonly token: Token;
  readonly viewer: Viewer;
  readonly askedAt: number;
}

const hashOf = (secret: string): string => hash('sha256', secret);

/** Tokens of one store. */
export function createTokens(store: Pick<Store, 'tokens' | 'audit'>, clock: Clock): Tokens {
  return new StoredTokens(store, clock);
}

class StoredTokens implements Tokens {
  readonly #store: Pick<Store, 'tokens' | 'audit'>;
  readonly #clock: Clock;
  /** By hash. */
  readonly #known = new Map<string, Known>();
  readonly #hashes = new Map<string, string>();
  readonly #ended = new Set<string>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #used = new Set<string>();
  #stopped: AbortController | null = null;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<Store, 'tokens' | 'audit'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  start(): Promise<void> {
    if (this.#stopped === null) {
      const stopped = new AbortController();
      this.#stopped = stopped;
      this.#loops = Promise.all([
        this.#every(WATCH_MS, stopped.signal, () => this.#lookAgain()),
        this.#every(TOUCH_MS, stopped.signal, () => this.#touch()),
      ]);
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped?.abort();
    this.#stopped = null;
    await this.#loops;
    await this.#touch();
  }

  verify(secret: string): Viewer | null | Promise<Viewer | null> {
    if (secret.length === 0 || secret.length > MAX_CHARACTERS) return null;
    const hashed = hashOf(secret);
    const known = this.#known.get(hashed);
    if (known && this.#clock.monotonic() - known.askedAt < BELIEVED_MS) return this.#admit(known);
    return this.#ask(hashed);
  }

  isGood({ tokenId, expiresAt }: Viewer): boolean {
    return !this.#ended.has(tokenId) && (expiresAt === null || this.#clock.now() < expiresAt);
  }

  watch({ tokenId }: Viewer, onEnd: () => void): () => void {
    const watchers = this.#watchers.get(tokenId) ?? new Set();
    watchers.add(onEnd);
    this.#watchers.set(tokenId, watchers);
    return () => {
      watchers.delete(onEnd);
      if (watchers.size === 0 && this.#watchers.get(tokenId) === watchers) this.#watchers.delete(tokenId);
    };
  }

  async create(
    { name, role, expiresInMs }: { readonly name: string; readonly role: Role; readonly expiresInMs: number | null },
    actor: string,
  ): Promise<CreatedToken | null> {
    const now = this.#clock.now();
    const others = await this.#store.tokens.all();
    if (others.some((other) => other.name === name && isStillGood(other, now))) return null;
    const secret = TOKEN_PREFIX + randomBytes(32).toString('base64url');
    const expiresAt = expiresInMs === null ? null : now + expiresInMs;
    return { token: await this.#put(secret, name, role, expiresAt, actor), secret };
  }

  async revoke(id: string, actor: string): Promise<boolean> {
    const isRevoked = await this.#store.tokens.revoke(id, this.#clock.now(), actor);
    if (isRevoked) this.#end(id);
    return isRevoked;
  }

  async ensureAdmin(given: string | undefined): Promise<string | null> {
    if (given !== undefined) {
      const known = await this.#store.tokens.byHash(hashOf(given));
      const isAdmin = known !== null && known.role === 'ADMIN' && isStillGood(known, this.#clock.now());
      if (!isAdmin) await this.#put(given, 'admin', 'ADMIN', null, 'server');
      return given;
    }
    const tokens = await this.#store.tokens.all();
    if (tokens.some((token) => token.role === 'ADMIN' && isStillGood(token, this.#clock.now()))) return null;
    const secret = TOKEN_PREFIX + randomBytes(32).toString('base64url');
    await this.#put(secret, 'admin', 'ADMIN', null, 'server');
    return secret;
  }

  async #put(secret: string, name: string, role: Role, expiresAt: number | null, actor: string): Promise<Token> {
    const createdAt = this.#clock.now();
    const token: Token = {
      id: randomUUID(),
      name,
      role,
      // Of a short token that somebody chose, next to nothing may be shown.
      prefix: secret.slice(0, Math.min(SHOWN_CHARACTERS, Math.floor(secret.length / 4))),
      createdAt,
      expiresAt,
      revokedAt: null,
      lastUsedAt: null,
    };
    await this.#store.tokens.put(token, hashOf(secret));
    const details = { id: token.id, role, expiresAt };
    await this.#store.audit.append({ at: createdAt, actor, action: 'token.create', subject: name, details });
    return token;
  }

  async #ask(hashed: string): Promise<Viewer | null> {
    const askedAt = this.#clock.monotonic();
    const token = await this.#store.tokens.byHash(hashed);
    if (token === null || !isStillGood(token, this.#clock.now())) {
      this.#known.delete(hashed);
      if (token !== null) this.#end(token.id);
      return null;
    }
    const { id, name, role, expiresAt } = token;
    // The same object as long as nothing changes, so that what is kept per viewer is found again.
    const before = this.#known.get(hashed)?.viewer;
    const isSame = before?.tokenId === id && before.role === role && before.expiresAt === expiresAt;
    const known = { token, askedAt, viewer: isSame ? before : { tokenId: id, name, role, expiresAt } };
    this.#known.delete(hashed);
    this.#known.set(hashed, known);
    this.#hashes.set(id, hashed);
    if (this.#known.size > KEPT) this.#forget(this.#known.keys().next().value!);
    return this.#admit(known);
  }

  #admit({ viewer }: Known): Viewer | null {
    if (!this.isGood(viewer)) return null;
    this.#used.add(viewer.tokenId);
    return viewer;
  }

  #forget(hashed: string): void {
    const known = this.#known.get(hashed);
    this.#known.delete(hashed);
    if (known && !this.#watchers.has(known.token.id)) this.#hashes.delete(known.token.id);
  }

  #end(tokenId: string): void {
    // Ids are never used again: what has ended here stays ended.
    this.#ended.add(tokenId);
    const watchers = [...(this.#watchers.get(tokenId) ?? [])];
    this.#watchers.delete(tokenId);
    for (const onEnd of watchers) onEnd();
  }

  async #lookAgain(): Promise<void> {
    for (const tokenId of this.#watchers.keys()) {
      const hashed = this.#hashes.get(tokenId);
      const token = hashed === undefined ? null : await this.#store.tokens.byHash(hashed);
      if (token?.id !== tokenId || !isStillGood(token, this.#clock.now())) this.#end(tokenId);
    }
  }

  async #touch(): Promise<void> {
    const used = [...this.#used];
    this.#used.clear();
    await this.#store.tokens.touched(used, this.#clock.now()).catch(() => undefined);
  }

  async #every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(ms, signal).catch(() => undefined);
      // While the store cannot be reached nobody can be revoked either: what is open stays open.
      if (!signal.aborted) await work().catch(() => undefined);
    }
  }
}

const isStillGood = ({ revokedAt, expiresAt }: Token, now: number): boolean =>
  revokedAt === null && (expiresAt === null || now < expiresAt);
