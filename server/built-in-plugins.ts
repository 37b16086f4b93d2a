/** The plugins that come with Gantry, by package. */
export const BUILT_IN_PLUGINS: readonly string[] = [
  '@gantry/scheduler-round-robin',
  '@gantry/scheduler-priority',
  '@gantry/scheduler-bin-packing',
  '@gantry/scheduler-spread',
  '@gantry/scheduler-fair-share',
  '@gantry/scheduler-critical-path',
  '@gantry/runner-shell',
  '@gantry/runner-http',
  '@gantry/runner-docker',
];
