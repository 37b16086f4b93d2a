import { describeScheduler } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

describeScheduler(plugin);
describeScheduler(plugin, {
  config: {
    nodes: 'LEAST_LOADED',
    weights: { 'tenant-0': 3, 'tenant-1': 0.5, constructor: 2 },
    limits: { 'tenant-2': { cpu: 9_000, nonesuch: 1 } },
    guarantees: { 'tenant-1': { memory: 2 ** 33 } },
  },
});
