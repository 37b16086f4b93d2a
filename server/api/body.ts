import type { IncomingMessage } from 'node:http';

/** The largest body: a pipeline of 1 MiB with room for its quotes and line ends to be escaped. Bytes. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** Reads a body. Calls back with null when it is larger than may be; what follows is then not read any more. */
export function readBody(request: IncomingMessage, onBody: (body: Buffer | null) => void): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > MAX_BODY_BYTES) {
    onBody(null);
    return;
  }
  let first: Buffer | null = null;
  let chunks: Buffer[] | null = null;
  let bytes = 0;
  let isDone = false;
  request.on('data', (chunk: Buffer) => {
    if (isDone) return;
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) {
      isDone = true;
      onBody(null);
    } else if (first === null) first = chunk;
    else (chunks ??= [first]).push(chunk);
  });
  request.on('end', () => {
    if (isDone) return;
    isDone = true;
    onBody(chunks ? Buffer.concat(chunks, bytes) : (first ?? Buffer.alloc(0)));
  });
  // Whoever goes away in the middle gets no answer.
  request.on('error', () => (isDone = true));
}
