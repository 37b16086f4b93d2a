import { readFileSync, readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createHash } from 'node:crypto';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { respondError, SECURITY_HEADERS } from './respond.ts';

/** Where `next build` writes the UI. */
const FOLDER = fileURLToPath(new URL('../../web/out', import.meta.url));

/** The UI's pages may run and load what this server serves, and nothing else: no other host, nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

interface WebFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly zipped: Buffer | null;
  readonly tag: string;
  /** Its name says what is in it: another build has other names. */
  readonly isImmutable: boolean;
}

const zip = promisify(gzip);

/** The web UI: the files of its export, by their paths, and its pages with a name in their path. */
export class Web {
  readonly #folder: string;
  /** By path; what they hold is read when it is first asked for. */
  readonly #files = new Map<string, string>();
  /** `/runs/[id]` as a pattern, with its file. */
  readonly #patterns: (readonly [pattern: RegExp, file: string])[] = [];
  readonly #read = new Map<string, Promise<WebFile>>();

  /** @param folder Of the export; one that is not there has no pages. */
  constructor(folder: string = FOLDER) {
    this.#folder = folder;
    for (const file of listFiles(folder)) {
      const path = `/${file.split(sep).join('/')}`;
      // As browsers write it: a name such as `[id]` comes with its brackets escaped.
      this.#files.set(path.split('/').map(encodeURIComponent).join('/'), file);
      if (extname(path) !== '.html') continue;
      const page = path.slice(0, -'.html'.length);
      if (page.includes('[')) this.#patterns.push([patternOf(page), file]);
      else this.#files.set(page === '/index' ? '/' : page, file);
    }
  }

  /** Whether the UI has been built. */
  get isBuilt(): boolean {
    return this.#files.has('/');
  }

  /** The file that a path names; null when there is none. Only what was listed is ever opened. */
  find(path: string): string | null {
    return this.#files.get(path) ?? this.#patterns.find(([pattern]) => pattern.test(path))?.[1] ?? null;
  }

  /** Serves a file that `find` has found. It holds nothing secret and needs no token. */
  async serve(file: string, request: IncomingMessage, response: ServerResponse, status = 200): Promise<void> {
    const { type, plain, zipped, tag, isImmutable } = await this.#open(file);
    const headers = {
      ...SECURITY_HEADERS,
      'Content-Security-Policy': POLICY,
      'Cache-Control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      'Content-Type': type,
      ETag: tag,
      Vary: 'Accept-Encoding',
    };
    if (status === 200 && request.headers['if-none-match'] === tag) {
      response.writeHead(304, headers);
      response.end();
      return;
    }
    const isZipped = zipped !== null && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    const body = isZipped ? zipped : plain;
    response.writeHead(status, {
      ...headers,
      ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
      'Content-Length': String(body.length),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #open(file: string): Promise<WebFile> {
    let known = this.#read.get(file);
    if (known === undefined) this.#read.set(file, (known = readWebFile(join(this.#folder, file))));
    return known;
  }
}

/** What is said where the UI should be and has not been built. */
export function respondUnbuilt(response: ServerResponse): void {
  const message = 'The web UI has not been built. Run `npm run web` and start the server again.';
  respondError(response, 404, 'NOT_FOUND', message);
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
      // What begins with a dot is the build's own.
      entry.isFile() && !entry.name.startsWith('.')
        ? [join(entry.parentPath, entry.name).slice(folder.length + 1)]
        : [],
    );
  } catch {
    return [];
  }
}

/** `/runs/[id]` holds for `/runs/` and one more name. */
function patternOf(page: string): RegExp {
  const parts = page.split('/').map((part) => (part.startsWith('[') ? '[^/]+' : part.replace(/[^\w-]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}

async function readWebFile(path: string): Promise<WebFile> {
  const plain = readFileSync(path);
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  const isText = /text|json|svg/.test(type);
  return {
    type,
    plain,
    zipped: isText && plain.length > 1_000 ? await zip(plain, { level: 9 }) : null,
    tag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    isImmutable: path.includes(`${sep}_next${sep}static${sep}`),
  };
}
