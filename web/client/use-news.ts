import { useEffect, useRef } from 'react';
import type { Operation } from './operation.ts';
import { follow } from './socket.ts';

/**
 * Calls back with each event of a subscription that begins now, as long as the component is there; with null when some
 * may have been missed. Another operation or other variables begin anew.
 */
export function useNews<Event, Variables extends object>(
  operation: Operation<Event, Variables>,
  variables: Variables,
  hear: (event: Event | null) => void,
): void {
  const latest = useRef(hear);
  latest.current = hear;
  const key = `${operation.name} ${JSON.stringify(variables)}`;
  useEffect(
    () =>
      follow(operation, variables, null, {
        event: (event) => latest.current(event),
        missed: () => latest.current(null),
        fault: () => undefined,
      }),
    // The key names the operation and its variables.
    [key],
  );
}
