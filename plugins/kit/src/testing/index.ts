export * from './attempt-harness.ts';
export * from './left-processes.ts';
export * from './random-cluster.ts';
export * from './runner-conformance.ts';
export * from './scheduler-conformance.ts';
