import type { Json } from '../client/operation.ts';

/** JSON as text, or what to say when there is none. */
export function JsonView({ value, empty }: { readonly value: Json; readonly empty: string }) {
  const isEmpty = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  if (isEmpty) return <p className="faint">{empty}</p>;
  return (
    <pre className="code" tabIndex={0}>
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
