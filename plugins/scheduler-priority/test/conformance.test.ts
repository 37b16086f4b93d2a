import { describeScheduler } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

describeScheduler(plugin);
describeScheduler(plugin, { config: { agingMs: null } });
describeScheduler(plugin, { config: { agingMs: 1_000 } });
describeScheduler(plugin, { config: { preempt: true } });
