import SchemaBuilder from '@pothos/core';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { ApiContext } from './context.ts';
import './require-role.ts';

/** The one builder. It holds no type: each has a file of its own. */
export const builder = new SchemaBuilder<{
  Context: ApiContext;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: true;
  Scalars: {
    ID: { Input: string; Output: string };
    /** Milliseconds since the epoch. */
    DateTime: { Input: number; Output: number };
    /** Milliseconds. */
    Duration: { Input: number; Output: number };
    JSON: { Input: unknown; Output: Json };
  };
}>({
  plugins: ['requireRole'],
  defaultFieldNullability: false,
  defaultInputFieldRequiredness: true,
});

// The roots themselves may be seen by all who have a token; each of their fields names a role of its own.
builder.queryType({ role: 'VIEWER', description: 'What can be asked.' });
builder.mutationType({ role: 'VIEWER', description: 'What can be done. Every mutation leaves an audit record.' });
builder.subscriptionType({
  role: 'VIEWER',
  description: 'What can be followed live. Every event carries a cursor; hand it in as `after` to go on from there.',
});
