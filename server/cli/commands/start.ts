import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, parseDocument } from 'yaml';
import type { Config } from '../../config/schema.ts';
import { payloadOf, type Client, type UnionMember } from '../client.ts';
import type { Command, Context } from '../command.ts';
import type { RunView } from '../run-progress.ts';
import { connectionTo, loginLink, serveUntilInterrupted, startHere, stopInGoodOrder } from '../running-server.ts';
import { oneLine } from '../terminal-text.ts';
import { watchRun } from '../watch-run.ts';
import { applyText } from './apply.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/dependency-audit', import.meta.url));

export const start: Command = {
  name: 'start',
  summary: 'Serves, and on an empty data folder first runs an example: what `npm start` does.',
  details:
    'The example audits the packages that are installed in this project: licences, sizes, install scripts. ' +
    'Afterwards it prints where to look, and goes on serving.',
  takesServerSettings: true,
  examples: [{ command: 'gantry start', meaning: 'see Gantry at work' }],
  async run({ context }) {
    const { output } = context;
    const { config, sources } = context.config('SERVER');
    // The progress is what there is to see; who wants the log as well says so.
    const isQuiet = sources.logLevel.kind === 'DEFAULT';
    const running = await startHere(isQuiet ? { ...config, logLevel: 'warn' } : config);
    const connection = connectionTo(running, config);
    const login = loginLink(connection);
    output.item({ type: 'server.listening', url: running.url, login }, () => `Gantry listens on ${running.url}`);
    let report: string | null = null;
    if (running.firstStart) {
      const shown = await runExample(context.connect(connection), config, context);
      if (shown.isInterrupted) return stopInGoodOrder(running, context);
      report = shown.report;
    }
    const serving = serveUntilInterrupted(running, context);
    output.item(
      { type: 'server.ready', url: running.url, login, playground: `${running.url}/playground`, report },
      () => whereToLook(running.url, login, report).join('\n'),
    );
    return serving;
  },
};

/** Applies the example, runs it and shows it. That it fails is told, and is no reason not to serve. */
async function runExample(
  client: Client,
  config: Config,
  context: Context,
): Promise<{ readonly isInterrupted: boolean; readonly report: string | null }> {
  const nothing = { isInterrupted: false, report: null };
  const applied = await applyText(client, 'examples/dependency-audit/pipeline.yaml', exampleText(config), false);
  if (applied.pipeline === null) {
    context.output.note(`The example was not applied: ${oneLine(applied.message ?? applied.outcome)}`);
    return nothing;
  }
  const { triggerRun } = await client.ask<{ readonly triggerRun: UnionMember }>('trigger-run', {
    input: { pipeline: applied.pipeline },
  });
  const { run } = payloadOf<UnionMember & { readonly run: RunView }>(triggerRun, 'TriggerRunPayload');
  context.output.note('A first run: an audit of the packages that are installed here.\n');
  const watched = await watchRun(client, run.id, context);
  if (watched.isDetached) return { isInterrupted: true, report: null };
  return { isInterrupted: false, report: await reportOf(client, run.id) };
}

/** The example's text with the defaults that only this process knows: where its scripts and its reports are. */
function exampleText(config: Config): string {
  const document = parseDocument(readFileSync(join(EXAMPLE, 'pipeline.yaml'), 'utf8'));
  if (isMap(document.contents)) {
    document.setIn(['params', 'folder', 'default'], EXAMPLE);
    document.setIn(['params', 'reports', 'default'], join(config.dataDir, 'reports'));
  }
  return document.toString();
}

/** The path that the last task handed on; null when it did not get that far. */
async function reportOf(client: Client, id: string): Promise<string | null> {
  interface Outputs {
    readonly run: {
      readonly taskRuns: { readonly nodes: readonly { readonly outputs: Readonly<Record<string, unknown>> | null }[] };
    } | null;
  }
  const { run } = await client.ask<Outputs>('run-outputs', { id });
  const report = run?.taskRuns.nodes.map(({ outputs }) => outputs?.['report']).find((each) => typeof each === 'string');
  return typeof report === 'string' ? report : null;
}

function whereToLook(url: string, login: string, report: string | null): readonly string[] {
  return [
    '',
    ...(report === null ? [] : [`Report:      ${oneLine(report)}`]),
    `Sign in:     ${login}`,
    `Playground:  ${url}/playground`,
    'From here:   npx gantry runs · npx gantry run dependency-audit --follow · npx gantry help',
    'Ctrl-C stops the server; npm start goes on where it was.',
  ];
}
