import { describeScheduler } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

describeScheduler(plugin);
describeScheduler(plugin, { config: { lookAhead: true } });
describeScheduler(plugin, { config: { reserveAfterMs: 300_000, reservations: 2 } });
describeScheduler(plugin, { config: { reserveAfterMs: 300_000, lookAhead: true } });
