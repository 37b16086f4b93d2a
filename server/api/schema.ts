import { builder } from './builder.ts';
import './scalars.ts';
import './errors.ts';
import './viewer.ts';
import './pipeline.ts';
import './apply-pipeline.ts';
import './steer-pipeline.ts';
import './run.ts';
import './trigger-run.ts';
import './steer-run.ts';
import './run-event.ts';
import './task-run.ts';
import './log.ts';
import './node.ts';
import './cordon-node.ts';
import './node-event.ts';
import './pool.ts';
import './follow-pool.ts';
import './update-pool.ts';
import './decision.ts';
import './simulate-placement.ts';
import './replay.ts';
import './plugin.ts';
import './token.ts';
import './audit.ts';

/** Everything that can be asked, done and followed. */
export const schema = builder.toSchema();
