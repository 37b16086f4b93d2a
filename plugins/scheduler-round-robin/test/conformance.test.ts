import { describeScheduler } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

describeScheduler(plugin);
describeScheduler(plugin, { config: { weights: { 'node-001': 3, 'zone=a': 16, 'node-00': 2 } } });
