import { describeScheduler } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

describeScheduler(plugin);
describeScheduler(plugin, { config: { lookAhead: 0, patienceMs: null } });
describeScheduler(plugin, { config: { speedLabel: 'size', patienceMs: 1_000 } });
