// How fast does output get from attempts to where it is kept? `npm run bench -- logs` prints MB/s through the agent's log
// (framing, numbering, batches) into the store, on SQLite and MariaDB, durable when it counts, beside plain writes of the
// same bytes to files in the same run: one file per attempt, flushed like the store, every 1 MiB and once at the end.
// Then the same with secrets to hide. Lines of 100 characters, 8 MB per attempt, which is what goes out as it comes.
import { once } from 'node:events';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pino } from 'pino';
import { AttemptLog } from '../server/agent/attempt-log.ts';
import { LogShipper } from '../server/agent/log-shipper.ts';
import { RingMemory } from '../server/agent/output-ring.ts';
import { SecretMask } from '../server/agent/secret-mask.ts';
import { systemClock } from '../server/clock.ts';
import type { Change } from '../server/domain/change.ts';
import { attemptId, runId, type RunId } from '../server/domain/ids.ts';
import type { Run } from '../server/domain/run.ts';
import type { NodeLogChunk } from '../server/protocol/gateway.ts';
import { openStore } from '../server/store/open.ts';
import { startMariadb } from '../test/support/databases.ts';

const ATTEMPTS = 8;
const BYTES = 8_000_000;
const PIECE_BYTES = 64 * 1024;
const FLUSH_BYTES = 1024 * 1024;
const ROUNDS = 5;

const line = `${'The quick brown fox jumps over the lazy dog, and then it sits down for a while to think'.padEnd(99, '.')}\n`;
const piece = Buffer.from(line.repeat(Math.ceil(PIECE_BYTES / line.length))).subarray(0, PIECE_BYTES);

interface Contender {
  readonly name: string;
  /** Resolves with how many bytes were kept: of a flood that the store cannot take, a part is left out. */
  round(number: number): Promise<number>;
  readonly speeds: number[];
  readonly kept: number[];
}

/** Prints as a command does: as fast as it is read. */
async function print(stream: Writable): Promise<void> {
  for (let printed = 0; printed < BYTES; printed += piece.length) if (!stream.write(piece)) await once(stream, 'drain');
}

/** Attempts of one node, all at once, through its shipper into the store. */
function throughStore(name: string, store: Awaited<ReturnType<typeof openStore>>, mask: SecretMask | null): Contender {
  const memory = new RingMemory();
  const run = runId(`logs-${name}`);
  let count = 0;
  return {
    name,
    speeds: [],
    kept: [],
    async round() {
      let kept = 0;
      const send = async (chunks: readonly NodeLogChunk[]) => {
        await store.logs.append(chunks);
        for (const { text } of chunks) kept += text.length;
      };
      const shipper = new LogShipper(send, systemClock, pino({ level: 'silent' }));
      await Promise.all(
        Array.from({ length: ATTEMPTS }, async () => {
          const attempt = attemptId(run, count++, 1);
          const log = new AttemptLog({
            attempt,
            sentSeq: 0,
            shipper,
            memory,
            clock: systemClock,
            mask,
            onOutput: () => undefined,
          });
          await print(log.stdout);
          await log.end();
        }),
      );
      await shipper.close();
      return kept;
    },
  };
}

function toFiles(folder: string, name: string, flushBytes: number): Contender {
  return {
    name,
    speeds: [],
    kept: [],
    round(number) {
      const files = Array.from({ length: ATTEMPTS }, (_, index) => openSync(join(folder, `${number}-${index}`), 'w'));
      let unflushed = 0;
      for (let printed = 0; printed < BYTES; printed += piece.length) {
        for (const file of files) {
          writeSync(file, piece);
          unflushed += piece.length;
          if (unflushed < flushBytes) continue;
          fdatasyncSync(file);
          unflushed = 0;
        }
      }
      for (const file of files) {
        fdatasyncSync(file);
        closeSync(file);
      }
      for (let index = 0; index < ATTEMPTS; index++) rmSync(join(folder, `${number}-${index}`));
      return Promise.resolve(ATTEMPTS * Math.ceil(BYTES / piece.length) * piece.length);
    },
  };
}

async function openWithRun(url: string, names: readonly string[]) {
  const store = await openStore({ url, clock: systemClock });
  const lease = await store.leases.acquire('default', 'bench', 3_600_000);
  if (!lease) throw new Error('The lease of a fresh database is not free.');
  const runs = names.map((name, index) => runWith(index + 1, runId(`logs-${name}`)));
  await store.commit(lease, lease.seq + 1, changeWith(runs));
  return store;
}

const runWith = (key: number, id: RunId): Run => ({
  id,
  key,
  pool: 'default',
  pipeline: 'bench',
  version: 1,
  params: {},
  priority: 0,
  trigger: 'MANUAL',
  createdBy: 'bench',
  retryOf: null,
  createdAt: 1_700_000_000_000,
  state: 'RUNNING',
  startedAt: null,
  finishedAt: null,
  reason: null,
  taskRunCount: 0,
  finishedCount: 0,
  failedCount: 0,
  revision: 1,
});

const changeWith = (createdRuns: readonly Run[]): Change => ({
  at: 1_700_000_000_000,
  createdRuns,
  changedRuns: [],
  countedRuns: [],
  createdTaskRuns: [],
  changedTaskRuns: [],
  assigned: { nodes: [], tasks: [] },
  writtenSeq: 0,
  supersededAttempts: [],
  evidence: [],
  gpus: [],
  usages: [],
  reasons: [],
  nodeRecords: [],
  nodes: [],
  receipts: [],
  events: { runs: [], taskRuns: [], nodes: [], receipts: [] },
});

const folder = mkdtempSync(join(tmpdir(), 'gantry-logs-'));
const mariadb = await startMariadb();
try {
  const sqlite = await openWithRun(`sqlite:${join(folder, 'logs.db')}`, ['SQLite', 'SQLite, masked']);
  const maria = await openWithRun(await mariadb.fresh(), ['MariaDB']);
  const secrets = new SecretMask(['a-token-of-forty-characters-0123456789ab', 'another secret of somebody']);
  const contenders = [
    throughStore('SQLite', sqlite, null),
    throughStore('SQLite, masked', sqlite, secrets),
    throughStore('MariaDB', maria, null),
    toFiles(folder, 'files, flushed every MiB', FLUSH_BYTES),
    toFiles(folder, 'files, flushed at the end', Infinity),
  ];
  for (let number = 0; number <= ROUNDS; number++) {
    for (const { round, speeds, kept } of contenders) {
      const from = performance.now();
      const bytes = await round(number);
      // The first round warms up.
      if (number > 0) speeds.push(bytes / 1_000 / (performance.now() - from));
      kept.push(bytes);
    }
  }
  for (const { name, speeds, kept } of contenders) {
    const sorted = speeds.sort((one, other) => one - other);
    const [low, median, high] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
    console.log(
      `${name.padEnd(30)} ${median.toFixed(0).padStart(6)} MB/s  (${low.toFixed(0)}–${high.toFixed(0)}), ${((100 * Math.min(...kept)) / Math.max(...contenders.at(-1)!.kept)).toFixed(0)} % kept`,
    );
  }
  await sqlite.close();
  await maria.close();
} finally {
  await mariadb.stop();
  rmSync(folder, { recursive: true, force: true });
}
