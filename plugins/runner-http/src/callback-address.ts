import type { Json } from '@gantry/plugin-kit/runner';
import type { HttpConfig } from './config.ts';

/** What a task writes where the callback's URL is to stand. */
const PLACE = '${callback}';
/** Tells the job where to call back, whatever else does. */
const HEADER = 'Gantry-Callback';

/** A task's request with the callback's URL in it: in a header of its own, and wherever the task wants it. */
export function withCallback(config: HttpConfig, url: string): HttpConfig {
  const { url: target, headers, query, body, json, form } = config;
  const place = (text: string) => text.replaceAll(PLACE, url);
  return {
    ...config,
    url: target.replaceAll(PLACE, encodeURIComponent(url)),
    headers: { ...mapped(headers, place), [HEADER]: url },
    query: mapped(query, (value) => (typeof value === 'string' ? place(value) : value)),
    ...(body === undefined ? {} : { body: place(body) }),
    ...(json === undefined ? {} : { json: placed(json, place) as typeof json }),
    ...(form === undefined ? {} : { form: mapped(form, place) }),
  };
}

function mapped<Value>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function placed(value: Json, place: (text: string) => string): Json {
  if (typeof value === 'string') return place(value);
  if (Array.isArray(value)) return value.map((item: Json) => placed(item, place));
  if (typeof value === 'object' && value !== null)
    return mapped(value as Readonly<Record<string, Json>>, (item) => placed(item, place));
  return value;
}
