export * from './random-cluster.ts';
export * from './scheduler-conformance.ts';
