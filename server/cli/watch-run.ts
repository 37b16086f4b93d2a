import type { Client } from './client.ts';
import type { Context } from './command.ts';
import { EXIT_CODES, exitCodeOfRun, type ExitCode } from './exit-code.ts';
import { CommandFailure } from './failure.ts';
import { progressLines, Screen } from './progress-screen.ts';
import {
  labelOf,
  progressText,
  RunProgress,
  reasonText,
  type RunEventView,
  type RunView,
  type TaskRunView,
} from './run-progress.ts';
import { oneLine } from './terminal-text.ts';
import { elapsedBetween, elapsedText } from './time-text.ts';

/** Task runs that are fetched to begin with; of a larger run only what changes is shown. */
const MOST_FETCHED = 2_000;
const PAGE = 500;
const REDRAW_MS = 100;

interface TaskRunPage {
  readonly run: {
    readonly taskRuns: {
      readonly nodes: readonly TaskRunView[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  } | null;
}

/** How watching ended: the run as it was then, and whether somebody pressed Ctrl-C. */
export interface Watched {
  readonly run: RunView | null;
  readonly isDetached: boolean;
  readonly progress: RunProgress;
}

/**
 * Shows a run until it has ended: redrawn in place on a terminal, one line per change in a pipe, one object per change
 * as JSON. Ctrl-C ends the watching, not the run.
 */
export async function watchRun(client: Client, id: string, context: Context): Promise<Watched> {
  const { output } = context;
  const progress = new RunProgress();
  const ending = new AbortController();
  let isDetached = false;
  const offInterrupt = context.onInterrupt(() => {
    isDetached = true;
    ending.abort();
  });
  const view = output.rendering === 'HUMAN' ? liveView(progress, context, ending.signal) : lineView(progress, context);
  try {
    const events = client.follow<RunEventView>(
      'follow-run',
      { id },
      {
        signal: ending.signal,
        cursorOf: (event) => event.cursor,
        eventOf: (data) => data['run'] as RunEventView,
        now: context.now,
        sleep: context.sleep,
      },
    );
    let isFirst = true;
    for await (const step of events) {
      if (step.kind !== 'EVENT') {
        view.contact(step.kind === 'IN_CONTACT');
        continue;
      }
      const { event } = step;
      if (event.run) view.run(event.run, event);
      if (event.taskRun) view.taskRun(event.taskRun, event);
      // The first event's cursor was taken before: what is fetched now can only be newer.
      if (isFirst || event.type === 'RESYNC') {
        isFirst = false;
        await fetchTaskRuns(client, id, event, progress, view);
      }
      // Nothing comes after its end. Waiting for the server to say so might mean waiting for a new connection.
      if (event.taskRun === null && event.run?.isFinished) break;
    }
  } finally {
    offInterrupt();
    ending.abort();
    await view.end();
  }
  return { run: progress.run, isDetached, progress };
}

async function fetchTaskRuns(
  client: Client,
  id: string,
  event: RunEventView,
  progress: RunProgress,
  view: View,
): Promise<void> {
  let after: string | null = null;
  if ((progress.run?.counts.total ?? 0) > MOST_FETCHED) return;
  do {
    const page: TaskRunPage = await client.ask<TaskRunPage>('run-task-runs', { id, first: PAGE, after });
    if (page.run === null) return;
    for (const taskRun of page.run.taskRuns.nodes) view.taskRun(taskRun, event);
    after = page.run.taskRuns.pageInfo.hasNextPage ? page.run.taskRuns.pageInfo.endCursor : null;
  } while (after !== null);
}

/** What is told of what happens. */
interface View {
  run(run: RunView, event: RunEventView): void;
  taskRun(taskRun: TaskRunView, event: RunEventView): void;
  contact(isThere: boolean): void;
  /** Shows the last state of everything. */
  end(): Promise<void>;
}

/** Redraws a few times a second, also while nothing happens, because times go on. */
function liveView(progress: RunProgress, context: Context, signal: AbortSignal): View {
  const { output } = context;
  const screen = new Screen(output);
  let hasContact = true;
  const draw = () => screen.draw(progressLines(progress, context.now(), output, hasContact));
  const drawing = (async () => {
    while (!signal.aborted) {
      draw();
      await context.sleep(REDRAW_MS, signal).catch(() => undefined);
    }
  })();
  return {
    run: (run) => void progress.takeRun(run),
    taskRun: (taskRun) => void progress.takeTaskRun(taskRun),
    contact: (isThere) => {
      hasContact = isThere;
    },
    end: async () => {
      await drawing;
      draw();
    },
  };
}

/** A line per change; the outcome comes last, whatever order the rest was read in. */
function lineView(progress: RunProgress, context: Context): View {
  const { output } = context;
  let outcome: (() => void) | null = null;
  /** Tenths that were told, by task run: a line for each step would drown the rest. */
  const tenths = new Map<string, number>();
  const tellProgress = (taskRun: TaskRunView, event: RunEventView): void => {
    const { id, progress: at } = taskRun;
    if (at === null) return;
    const tenth = Math.floor((at.fraction ?? 0) * 10);
    const isShown = tenth > (tenths.get(id) ?? 0);
    if (isShown) tenths.set(id, tenth);
    output.item({ type: event.type, at: event.at, cursor: event.cursor, taskRun }, () =>
      isShown ? `${oneLine(labelOf(taskRun))}\t${taskRun.state}\t${oneLine(progressText(at))}` : null,
    );
  };
  return {
    run(run, event) {
      if (!progress.takeRun(run)) return;
      const say = () =>
        output.item({ type: event.type, at: event.at, cursor: event.cursor, run }, () => runLine(run, context.now()));
      if (run.isFinished) outcome = say;
      else say();
    },
    taskRun(taskRun, event) {
      const isNews = progress.takeTaskRun(taskRun);
      if (event.type === 'taskRun.progressed') tellProgress(taskRun, event);
      if (!isNews || taskRun.state === 'WAITING') return;
      output.item({ type: event.type, at: event.at, cursor: event.cursor, taskRun }, () => taskRunLine(taskRun));
    },
    contact: (isThere) => output.note(isThere ? 'in contact again' : 'no contact with the server; trying again'),
    end: async () => outcome?.(),
  };
}

function runLine(run: RunView, now: number): string {
  const took = elapsedBetween(run.startedAt, run.finishedAt, now);
  const time = run.isFinished && took !== null ? ` in ${elapsedText(took)}` : '';
  return `run\t${run.state}${time}${run.reason === null ? '' : `: ${oneLine(run.reason.message)}`}`;
}

function taskRunLine(taskRun: TaskRunView): string {
  const { attempt } = taskRun;
  const fields = [oneLine(labelOf(taskRun)), taskRun.state];
  if (attempt !== null) {
    fields.push(`attempt ${attempt.number} on ${oneLine(attempt.nodeName)}`);
    const took = elapsedBetween(attempt.startedAt, attempt.finishedAt, Date.parse(attempt.assignedAt));
    if (attempt.finishedAt !== null && took !== null) fields.push(elapsedText(took));
  }
  const why = reasonText(taskRun);
  if (why !== null) fields.push(oneLine(why));
  return fields.join('\t');
}

/** What is left to say when watching has ended, and the exit code. */
export function concludeWatching({ run, isDetached }: Watched, id: string, context: Context): ExitCode {
  if (isDetached && !run?.isFinished) {
    context.output.note(
      `Detached; the run goes on. Follow it: gantry show ${id} --follow. Cancel it: gantry cancel ${id}`,
    );
    return EXIT_CODES.DETACHED.code;
  }
  if (run === null) {
    throw new CommandFailure({
      code: 'RUN_NOT_FOUND',
      message: `There is no run ${id}.`,
      remedy: 'gantry runs lists them.',
    });
  }
  if (run.state === 'FAILED')
    context.output.note(`See why: gantry logs ${id}. Try again what failed: gantry retry ${id}`);
  return exitCodeOfRun(run.state);
}
