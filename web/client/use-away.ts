import { useSyncExternalStore } from 'react';
import { serverAwaySince, wantedAddress, watchReach } from './reach.ts';

/** Since when the server has not been reachable, in milliseconds since the epoch; null while it is. */
export const useAway = (): number | null => useSyncExternalStore(watchReach, serverAwaySince, () => null);

/** The address that is opened once the server can be reached; null for none. */
export const useWantedAddress = (): string | null => useSyncExternalStore(watchReach, wantedAddress, () => null);
