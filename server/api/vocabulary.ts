import type { Problem, Reason, Resources } from '@gantry/plugin-kit/vocabulary';
import { formatQuantity } from '../domain/resources.ts';
import type { Taint } from '../domain/node.ts';
import { builder } from './builder.ts';

/** Why something is not so. */
export const ReasonRef = builder.objectRef<Reason>('Reason').implement({
  role: 'VIEWER',
  description: 'Why something is not so: a code for programs, a sentence for people, and what would change it.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'For programs: `INSUFFICIENT_RESOURCES`.' }),
    message: t.exposeString('message', { description: 'For people.' }),
    remedy: t.string({ nullable: true, description: 'What would change it.', resolve: ({ remedy }) => remedy ?? null }),
  }),
});

/** A problem with something that was handed in. */
export const ProblemRef = builder.objectRef<Problem>('Problem').implement({
  role: 'VIEWER',
  description: 'Something wrong with a value that was handed in.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'For programs: `MISSING_PARAM`.' }),
    message: t.exposeString('message', { description: 'For people.' }),
    path: t.stringList({
      description: 'Where in the value; indexes as digits.',
      resolve: ({ path }) => path.map(String),
    }),
    remedy: t.string({ nullable: true, description: 'What to do.', resolve: ({ remedy }) => remedy ?? null }),
  }),
});

/** One amount of a resource vector. */
export const ResourceAmountRef = builder
  .objectRef<{ readonly name: string; readonly amount: number }>('ResourceAmount')
  .implement({
    role: 'VIEWER',
    description: 'How much of a resource.',
    fields: (t) => ({
      name: t.exposeString('name', { description: '`cpu`, `memory`, `disk`, `gpu` or any that a node declares.' }),
      amount: t.exposeFloat('amount', {
        description:
          'In the resource’s unit: `cpu` in millicores, `memory` and `disk` in bytes, others in whole units.',
      }),
      quantity: t.string({
        description: 'As Kubernetes writes it: `500m`, `512Mi`.',
        resolve: ({ name, amount }) => formatQuantity(name, amount),
      }),
    }),
  });

/** A resource vector as a list, by name. */
export function amountsOf(resources: Resources): { readonly name: string; readonly amount: number }[] {
  return Object.keys(resources)
    .sort()
    .map((name) => ({ name, amount: resources[name] ?? 0 }));
}

/** A key and its value. */
export const LabelRef = builder.objectRef<{ readonly key: string; readonly value: string }>('Label').implement({
  role: 'VIEWER',
  description: 'A key and its value.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key.' }),
    value: t.exposeString('value', { description: 'The value.' }),
  }),
});

/** A record of texts as a list, by key. */
export function labelsOf(record: Readonly<Record<string, string>>): { readonly key: string; readonly value: string }[] {
  return Object.keys(record)
    .sort()
    .map((key) => ({ key, value: record[key] ?? '' }));
}

/** What keeps work away from a node. */
export const TaintRef = builder.objectRef<Taint>('Taint').implement({
  role: 'VIEWER',
  description: 'Keeps new work away from a node unless the task tolerates it.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key that a toleration names.' }),
    value: t.string({
      nullable: true,
      description: 'The value, where it has one.',
      resolve: ({ value }) => value ?? null,
    }),
    effect: t.exposeString('effect', { description: '`NO_SCHEDULE`: keeps new work away.' }),
  }),
});

/** Declares a GraphQL enum from the names and what each means. */
export function enumOf<const Names extends string>(
  name: string,
  description: string,
  values: Readonly<Record<Names, string>>,
) {
  const described = Object.fromEntries(
    (Object.entries(values) as [Names, string][]).map(([value, about]) => [value, { description: about }]),
  ) as { [Value in Names]: { description: string } };
  return builder.enumType(name, { description, values: described });
}
