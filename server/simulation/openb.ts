import { z } from 'zod';
import { makeShape } from '../placement/shape.ts';
import { plainNode, SIMULATED_RUNNER, type SimulatedNode, type SimulatedTask } from './workload.ts';

/*
 * Rows of the GPU cluster trace of 2023 (Alibaba, cluster-trace-gpu-v2023, “openb”): nodes with cpu, memory and GPUs of
 * one model, and pods with parts of a GPU or whole ones, some for certain models only. Times are seconds.
 */

const column = z.string({ error: 'The file has no such column.' });
const amount = column.transform((text, { issues }) => {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= 0 && Number.isFinite(value)) return value;
  issues.push({ code: 'custom', message: `“${text.slice(0, 40)}” is no number from 0.`, input: text });
  return z.NEVER;
});
const time = column.pipe(z.union([z.literal('').transform(() => null), amount]));

const nodeRow = z.object({
  sn: column.min(1, 'It is empty.'),
  cpu_milli: amount,
  memory_mib: amount,
  gpu: amount,
  model: z.string().default(''),
});
const podRow = z.object({
  name: column.min(1, 'It is empty.'),
  cpu_milli: amount,
  memory_mib: amount,
  num_gpu: amount,
  gpu_milli: amount,
  gpu_spec: z.string().default(''),
  qos: z.string().default(''),
  creation_time: amount,
  deletion_time: time,
  scheduled_time: time,
});

/** The label that says of which model a node's GPUs are. */
const GPU_MODEL = 'gpu.model';
const MIB = 1 << 20;
/** What a pod counts as that was not seen to end. */
const UNENDED_MS = 24 * 3_600_000;

/** @throws ZodError for a row that is none. */
export function openbNode(row: unknown): SimulatedNode {
  const { sn, cpu_milli: cpu, memory_mib: memory, gpu, model } = nodeRow.parse(row);
  const capacity = { cpu, memory: memory * MIB, ...(gpu > 0 ? { gpu: gpu * 1_000 } : {}) };
  const labels = model === '' ? {} : { [GPU_MODEL]: model };
  return { node: plainNode(sn, capacity, labels, SIMULATED_RUNNER), joinsAt: 0, leavesAt: null };
}

/** A pod becomes a task of its quality of service. @throws ZodError for a row that is none. */
export function openbTask(row: unknown): SimulatedTask {
  const pod = podRow.parse(row);
  const models = pod.gpu_spec.split('|').filter((model) => model !== '');
  const gpu = pod.num_gpu > 1 ? pod.num_gpu * 1_000 : pod.num_gpu * pod.gpu_milli;
  const resources = { cpu: pod.cpu_milli, memory: pod.memory_mib * MIB, ...(gpu > 0 ? { gpu } : {}) };
  const rules = {
    require: [{ label: GPU_MODEL, operator: 'IN' as const, values: models }],
    prefer: [],
    exclusive: false,
    perNode: null,
    spread: null,
    gang: null,
  };
  const startedAt = pod.scheduled_time ?? pod.creation_time;
  return {
    key: pod.name,
    shape: makeShape({
      runner: SIMULATED_RUNNER,
      resources,
      nodeSelector: {},
      tolerations: [],
      rules: models.length > 0 ? rules : null,
    }),
    priority: 0,
    tenant: pod.qos === '' ? 'none' : pod.qos,
    arrivesAt: pod.creation_time * 1_000,
    durationMs: pod.deletion_time === null ? UNENDED_MS : Math.max(1, pod.deletion_time - startedAt) * 1_000,
    needs: [],
    deadlineAt: null,
  };
}
