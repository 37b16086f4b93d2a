import { connect } from 'node:net';

/** What came of a load: requests that were answered, and how long they took. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Keeps `connections` busy for `durationMs`, one request at a time on each, over plain sockets: the generator must not
 * be what is measured. Rejects when an answer is not 200.
 */
export async function load(
  url: string,
  {
    body,
    token,
    connections = 50,
    durationMs,
  }: { body: string; token: string; connections?: number; durationMs: number },
): Promise<LoadResult> {
  const { hostname, port } = new URL(url);
  const request = Buffer.from(
    `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const latencies: number[] = [];
  const begin = performance.now();
  const end = begin + durationMs;
  await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect(Number(port), hostname, () => send());
          socket.setNoDelay(true);
          let sentAt = 0;
          let received: Buffer | null = null;
          const send = () => {
            sentAt = performance.now();
            socket.write(request);
          };
          socket.on('error', reject);
          socket.on('data', (chunk) => {
            received = received === null ? chunk : Buffer.concat([received, chunk]);
            const length = responseLength(received);
            if (length === null || received.length < length) return;
            if (!received.toString('latin1', 0, 15).startsWith('HTTP/1.1 200')) {
              socket.destroy();
              reject(new Error(`The server answered ${received.toString().slice(0, 500)}`));
              return;
            }
            received = null;
            const now = performance.now();
            latencies.push(now - sentAt);
            if (now < end) send();
            else {
              socket.end();
              resolve();
            }
          });
        }),
    ),
  );
  const seconds = (performance.now() - begin) / 1_000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

const CHUNKED_END = Buffer.from('0\r\n\r\n');

/** The bytes of the response that begins here, or null when that is not known yet. */
function responseLength(received: Buffer): number | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = received.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return headEnd + 4 + Number(length);
  return received.subarray(-CHUNKED_END.length).equals(CHUNKED_END) ? received.length : null;
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
