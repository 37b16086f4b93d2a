import { constants } from 'node:os';

/** Signals by which engines can end a container; real-time ones too, which some images are stopped by. */
const REAL_TIME = /^SIGRT(MIN(\+([1-9]|1[0-5]))?|MAX(-([1-9]|1[0-4]))?)$/;

/** Whether it names a signal. */
export const isStopSignal = (name: string): boolean => name in constants.signals || REAL_TIME.test(name);
