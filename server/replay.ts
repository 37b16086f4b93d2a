import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { decodeText } from '@gantry/plugin-kit/text';
import { parse } from 'csv-parse';
import { ZodError } from 'zod';
import { BUILT_IN_PLUGINS } from './built-in-plugins.ts';
import { systemClock, type Clock } from './clock.ts';
import type { SchedulerChoice } from './domain/pool.ts';
import { createLog } from './log.ts';
import type { Placement } from './placement/placement.ts';
import { createRegistry } from './plugin-host/registry.ts';
import { makeTrialPlacement } from './schedulers.ts';
import { openbNode, openbTask } from './simulation/openb.ts';
import { isOwnTrace, readOwnTrace } from './simulation/own-trace.ts';
import { simulation, type Simulation } from './simulation/simulate.ts';
import { summaryOf, type Summary } from './simulation/summary.ts';
import { wfcommonsWorkload } from './simulation/wfcommons.ts';
import { workloadFault } from './simulation/workload-fault.ts';
import type { Workload } from './simulation/workload.ts';

/** How one scheduler has done. */
export interface Replayed extends SchedulerChoice {
  readonly version: string;
  readonly summary: Summary;
  /** Calls that failed, or held wrong decisions: the fallback decided then. */
  readonly faults: number;
}

/** Told how a replay goes on. */
export interface ReplayWatcher {
  readonly onDone?: (replayed: Replayed) => void;
  /** A scheduler is at it, and this share of the work of all is done. */
  readonly onProgress?: (scheduler: string, share: number) => void;
}

/** Lets several schedulers do the same work, one after the other; others have their turn in between. */
export async function replayWorkload(
  workload: Workload,
  choices: readonly SchedulerChoice[],
  makePlacement: (choice: SchedulerChoice) => Placement,
  clock: Pick<Clock, 'turn'>,
  { onDone, onProgress }: ReplayWatcher = {},
): Promise<readonly Replayed[]> {
  const all: Replayed[] = [];
  for (const choice of choices) {
    onProgress?.(choice.scheduler, all.length / choices.length);
    const placement = makePlacement(choice);
    const steps = simulation(workload, placement);
    let outcome: Simulation | null = null;
    while (outcome === null) {
      const { done, value } = steps.next();
      if (done) outcome = value;
      else {
        onProgress?.(choice.scheduler, (all.length + value / Math.max(1, workload.tasks.length)) / choices.length);
        await clock.turn();
      }
    }
    const { version, faults } = placement.schedulerStatus;
    const replayed = { ...choice, version, faults, summary: summaryOf(workload, outcome) };
    onDone?.(replayed);
    all.push(replayed);
  }
  return all;
}

/** A trace in files, and who is to do it. */
export interface TraceReplay {
  /** A CSV of pods as in openb, or the JSON of a workflow in WfFormat. */
  readonly trace: string;
  /** The CSV of nodes that goes with pods. */
  readonly nodes: string | null;
  /** Machines for a workflow. */
  readonly machines: number;
  /** How many times faster everything arrives than it did: what lasts lasts as long. */
  readonly speed: number;
  /** A task should have ended within so many times its duration from its arrival; null for no deadlines. */
  readonly deadline: number | null;
  readonly choices: readonly SchedulerChoice[];
  /** Plugins besides those that come with Gantry. */
  readonly plugins: readonly string[];
}

/** What is wrong with a trace, in words for whoever named it. */
export class TraceFault extends Error {
  override readonly name = 'TraceFault';
}

/** Reads a trace and lets schedulers do it. Throws TraceFault for files and schedulers that will not do. */
export async function replayTrace(
  { choices, plugins, ...files }: TraceReplay,
  onDone: (replayed: Replayed) => void,
): Promise<readonly Replayed[]> {
  const registry = await createRegistry([...BUILT_IN_PLUGINS, ...plugins], process.cwd(), plugins);
  for (const { scheduler, config } of choices) {
    const [problem] = registry.checkSchedulerConfig(scheduler, config);
    if (problem) throw new TraceFault(`${problem.message} ${problem.remedy ?? ''}`.trim());
  }
  const recorded = await readTrace(files);
  const fault = workloadFault(recorded);
  if (fault !== null) throw new TraceFault(`${files.trace}: ${fault}`);
  const tasks = recorded.tasks.map((task) => {
    const arrivesAt = task.arrivesAt / files.speed;
    return {
      ...task,
      arrivesAt,
      deadlineAt: files.deadline === null ? null : arrivesAt + files.deadline * task.durationMs,
    };
  });
  const workload = { ...recorded, tasks };
  const parts = { pool: 'simulated', registry, clock: systemClock, log: createLog('error', 'pretty'), batch: 4_096 };
  return replayWorkload(workload, choices, (choice) => makeTrialPlacement(choice, parts)!, systemClock, { onDone });
}

async function readTrace({ trace, nodes, machines }: Omit<TraceReplay, 'choices' | 'plugins'>): Promise<Workload> {
  if (trace.endsWith('.json')) {
    const bytes = await readFile(trace).catch((error: unknown) => {
      throw new TraceFault(`${trace} cannot be read: ${messageOf(error)}`);
    });
    const decoded = decodeText(bytes);
    if (!decoded.ok) throw new TraceFault(`${trace} cannot be read as text: ${decoded.message}`);
    try {
      // What is measured is a number to reckon with: digits beyond a double's are of no use to a simulation.
      const recording: unknown = JSON.parse(decoded.text);
      return isOwnTrace(recording) ? readOwnTrace(recording) : wfcommonsWorkload(recording, machines);
    } catch (error) {
      throw new TraceFault(`${trace} is neither a trace of Gantry nor a workflow in WfFormat 1.5: ${messageOf(error)}`);
    }
  }
  if (nodes === null) throw new TraceFault('A trace of pods needs its nodes: --nodes openb_node_list.csv');
  return { name: trace, nodes: await readRows(nodes, openbNode), tasks: await readRows(trace, openbTask) };
}

/** A record of a CSV, and the line on which it ends. */
interface Numbered {
  readonly record: unknown;
  readonly info: { readonly lines: number };
}

async function readRows<Row>(file: string, read: (row: unknown) => Row): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let line = 1;
  try {
    const source = createReadStream(file);
    const parser = source.pipe(parse({ bom: true, columns: true, info: true, skip_empty_lines: true }));
    source.on('error', (error) => parser.destroy(error));
    for await (const { record, info } of parser as AsyncIterable<Numbered>) {
      line = info.lines;
      rows.push(read(record));
    }
  } catch (error) {
    const where = error instanceof ZodError ? `${file}:${line}` : file;
    throw new TraceFault(`${where}: ${messageOf(error)}`);
  }
  if (rows.length === 0) throw new TraceFault(`${file} has no rows.`);
  return rows;
}

function messageOf(error: unknown): string {
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    return `${issue!.path.join('.')}: ${issue!.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
