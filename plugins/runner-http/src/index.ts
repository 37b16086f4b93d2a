import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import {
  defineRunner,
  zodConfig,
  type Attempt,
  type Json,
  type Outcome,
  type RunnerNode,
} from '@gantry/plugin-kit/runner';
import { AddressRules } from './address-rules.ts';
import { httpConfig, httpSettings, type HttpConfig } from './config.ts';
import { jsonPointer } from './json-pointer.ts';
import { AddressNotAllowed, BadUrl, closeConnections, redirected, send, targetOf, type Prepared } from './request.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** How much of an answer that was not expected is shown with the failure. */
const EXCERPT_CHARACTERS = 300;

type Failed = Extract<Outcome, { ok: false }>;
const failure = (code: string, message: string, remedy?: string): Failed => ({
  ok: false,
  kind: 'APPLICATION',
  reason: remedy === undefined ? { code, message } : { code, message, remedy },
});

/** One HTTP request. What the other side does wrong is the task's failure: its retries are what helps against it. */
export default defineRunner<HttpConfig>({
  name: 'http',
  version: '1.0.0',
  summary: 'Makes one HTTP request and hands on what the answer says.',
  config: zodConfig(httpConfig),

  async run(attempt, node) {
    try {
      return await converse(attempt, rulesOf(node));
    } catch (error) {
      return failureOf(error, attempt);
    }
  },

  close: () => {
    closeConnections();
    return Promise.resolve();
  },
});

const rules = new WeakMap<RunnerNode, AddressRules>();
function rulesOf(node: RunnerNode): AddressRules {
  let known = rules.get(node);
  if (!known) {
    known = new AddressRules(httpSettings.parse(node.settings).allow);
    rules.set(node, known);
  }
  return known;
}

async function converse(attempt: Attempt<HttpConfig>, allowed: AddressRules): Promise<Outcome> {
  const { config } = attempt;
  let prepared = prepare(attempt);
  const signal = attempt.stop;
  for (let redirects = 0; ; redirects++) {
    const answer = await send(prepared, allowed, signal);
    const status = answer.statusCode ?? 0;
    const { location } = answer.headers;
    if (!REDIRECTS.has(status) || location === undefined || config.followRedirects === 0)
      return receive(attempt, answer, status);
    answer.resume();
    if (redirects >= config.followRedirects) {
      return failure(
        'TOO_MANY_REDIRECTS',
        `${prepared.url.href} redirects once more after ${redirects} redirects.`,
        'Raise followRedirects (at most 5), or use the last URL.',
      );
    }
    prepared = redirected(prepared, status, location);
  }
}

function prepare({ config, id }: Attempt<HttpConfig>): Prepared {
  const { method, query, body, json, form } = config;
  const url = targetOf(config.url);
  for (const name in query) url.searchParams.append(name, String(query[name]));
  // The same for every try of a task run: whoever keeps to it does the work once.
  const headers: Record<string, string> = {
    'user-agent': 'gantry',
    'idempotency-key': id.slice(0, id.lastIndexOf('.')),
  };
  let content: string | null = null;
  if (json !== undefined) {
    headers['content-type'] = 'application/json';
    content = JSON.stringify(json);
  } else if (form !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    content = new URLSearchParams(form).toString();
  } else if (body !== undefined) {
    content = body;
  }
  if (content !== null) headers['content-length'] = String(Buffer.byteLength(content));
  for (const name in config.headers) headers[name.toLowerCase()] = config.headers[name]!;
  return { url, method, headers, body: content };
}

async function receive(attempt: Attempt<HttpConfig>, answer: IncomingMessage, status: number): Promise<Outcome> {
  const { config } = attempt;
  const wantsBody = Object.values(config.outputs).some((source) => 'jsonPointer' in source);
  const isText = /^(text\/|application\/([\w.-]+\+)?(json|xml|yaml))/.test(answer.headers['content-type'] ?? '');
  const isExpected = matches(config.expect, status);
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > config.maxResponseBytes) {
      answer.destroy();
      return failure(
        'RESPONSE_TOO_LARGE',
        `The answer is longer than ${config.maxResponseBytes} bytes.`,
        'Raise maxResponseBytes, or ask for less.',
      );
    }
    if (wantsBody || !isExpected) kept.push(piece);
    if (isText && !attempt.stdout.write(piece)) await once(attempt.stdout, 'drain');
  }
  const text = kept.length > 0 ? Buffer.concat(kept).toString() : '';
  if (!isExpected) {
    const excerpt = isText && text !== '' ? `: ${text.slice(0, EXCERPT_CHARACTERS)}` : '';
    return failure(
      'UNEXPECTED_STATUS',
      `The answer was ${status} ${answer.statusMessage ?? ''}${excerpt}`,
      `Expected: ${[config.expect].flat().join(', ')}.`,
    );
  }
  return outputsOf(config, answer, status, text);
}

function outputsOf(config: HttpConfig, answer: IncomingMessage, status: number, text: string): Outcome {
  const outputs: Record<string, Json> = { status };
  let body: Json | undefined;
  for (const [name, source] of Object.entries(config.outputs)) {
    if ('header' in source) {
      const value = answer.headers[source.header.toLowerCase()];
      if (value === undefined)
        return failure('OUTPUT_MISSING', `The answer has no header ${source.header} for the output ${name}.`);
      outputs[name] = value;
      continue;
    }
    try {
      body ??= JSON.parse(text) as Json;
    } catch {
      return failure('RESPONSE_NOT_JSON', `The answer is no JSON, and the output ${name} is to be read from it.`);
    }
    const value = jsonPointer(body, source.jsonPointer);
    if (value === undefined)
      return failure('OUTPUT_MISSING', `The answer has nothing at ${source.jsonPointer} for the output ${name}.`);
    outputs[name] = value;
  }
  return { ok: true, outputs };
}

function matches(expected: HttpConfig['expect'], status: number): boolean {
  return [expected]
    .flat()
    .some((pattern) =>
      typeof pattern === 'number' ? pattern === status : Number(pattern[0]) === Math.floor(status / 100),
    );
}

function failureOf(error: unknown, attempt: Attempt<HttpConfig>): Failed {
  if (error instanceof AddressNotAllowed) {
    return failure(
      'ADDRESS_NOT_ALLOWED',
      `${error.message}.`,
      'The node’s operator may allow it: runners.http.allow, or GANTRY_HTTP_ALLOW.',
    );
  }
  if (error instanceof BadUrl) return failure('BAD_URL', error.message);
  if (attempt.stop.aborted) return failure('STOPPED', 'The request was stopped.');
  const { code, message } = error as NodeJS.ErrnoException;
  return failure(code ?? 'REQUEST_FAILED', `The request failed: ${message}.`);
}
