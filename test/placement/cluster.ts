import type { Json, PlacementInput, Resources, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import binPacking from '@gantry/scheduler-bin-packing';
import criticalPath from '@gantry/scheduler-critical-path';
import fairShare from '@gantry/scheduler-fair-share';
import priority from '@gantry/scheduler-priority';
import roundRobin from '@gantry/scheduler-round-robin';
import spread from '@gantry/scheduler-spread';
import type { Node } from '../../server/domain/node.ts';
import { Placement } from '../../server/placement/placement.ts';
import { SchedulerHost } from '../../server/placement/scheduler-host.ts';
import { makeShape, type TaskShape } from '../../server/placement/shape.ts';
import { someFacts } from '../support/builders.ts';

export const BUILT_IN = [
  roundRobin,
  priority,
  binPacking,
  spread,
  fairShare,
  criticalPath,
] as unknown as readonly SchedulerPlugin[];

/** A node that is heard and eligible; `overrides` says what matters to the test. */
export function aNode(name: string, overrides: Partial<Node> = {}): Node {
  return {
    ...someFacts(name),
    connection: 'READY',
    eligibility: 'ELIGIBLE',
    incarnation: 1,
    reserved: {},
    runningCount: 0,
    registeredAt: 0,
    heardAt: 0,
    revision: 0,
    ...overrides,
  };
}

export function aShape(resources: Resources = { slots: 1 }, overrides: Partial<TaskShape> = {}): TaskShape {
  return makeShape({ runner: 'mock', nodeSelector: {}, tolerations: [], ...overrides, resources });
}

export interface HostOptions {
  readonly memory?: Json;
  /** What the plugin is configured with; its defaults otherwise. */
  readonly config?: Json;
  /** By which the host measures; it stands still by default. */
  readonly monotonic?: () => number;
  readonly log?: (message: string) => void;
}

export function aHost(
  plugin: SchedulerPlugin,
  { memory = null, config: given = {}, monotonic, log }: HostOptions = {},
): SchedulerHost {
  const checked = plugin.config.check(given);
  if (!checked.ok) throw new Error(`${plugin.name} refuses ${JSON.stringify(given)}.`);
  const { config } = checked;
  const clock = { monotonic: monotonic ?? ((): number => 0) };
  return new SchedulerHost({ plugin, config, memory, seed: 7, clock, log: log ?? ((): void => {}) });
}

/** A placement with nodes; with a batch of 100 and the built-in round-robin unless the test says otherwise. */
export function aPlacement(
  nodes: readonly Node[],
  { plugin = BUILT_IN[0]!, batch = 100, ...host }: HostOptions & { plugin?: SchedulerPlugin; batch?: number } = {},
): Placement {
  const placement = new Placement({ scheduler: aHost(plugin, host), batch });
  for (const node of nodes) placement.nodeChanged(node);
  return placement;
}

/** Makes tasks of a shape READY, one millisecond after the other. */
export function addTasks(placement: Placement, shape: TaskShape, ...keys: readonly string[]): void {
  keys.forEach((key, at) => placement.add({ key, shape, priority: 0, readySince: at, tenant: 'work' }));
}

/** What a call comes to, as `task>node`. */
export function placed(placement: Placement, now = 1_000): readonly string[] {
  return placement.place(now).placements.map(({ taskRun, node }) => `${taskRun}>${node}`);
}

/** A scheduler that the test writes itself. */
export function aScheduler(place: (input: PlacementInput) => unknown): SchedulerPlugin {
  return { ...BUILT_IN[0]!, name: 'tried', place: place as SchedulerPlugin['place'] };
}
