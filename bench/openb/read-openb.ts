import { readFileSync } from 'node:fs';

/** A machine of the trace. */
export interface TraceNode {
  readonly name: string;
  readonly cpu: number;
  readonly memoryMib: number;
  readonly gpus: number;
  /** Of its GPUs; empty when it has none. */
  readonly model: string;
}

/** A task of the trace. */
export interface TracePod {
  readonly name: string;
  readonly cpu: number;
  readonly memoryMib: number;
  /** In thousandths: up to 1,000 of one GPU, or a multiple of 1,000. */
  readonly gpu: number;
  /** GPU models that will do; empty when all do. */
  readonly models: readonly string[];
  /** Seconds from the beginning of the trace. */
  readonly createdAt: number;
  readonly deletedAt: number;
}

/**
 * Reads the nodes of cluster-trace-gpu-v2023 (“openb”), as published.
 *
 * @throws When the file is missing or lacks a column.
 */
export function readNodes(file: string): readonly TraceNode[] {
  return readRows(file, ['sn', 'cpu_milli', 'memory_mib', 'gpu', 'model']).map(([name, cpu, memory, gpus, model]) => ({
    name: name!,
    cpu: Number(cpu),
    memoryMib: Number(memory),
    gpus: Number(gpus),
    model: model!,
  }));
}

/** Reads its tasks. */
export function readPods(file: string): readonly TracePod[] {
  const columns = [
    'name',
    'cpu_milli',
    'memory_mib',
    'num_gpu',
    'gpu_milli',
    'gpu_spec',
    'creation_time',
    'deletion_time',
  ];
  return readRows(file, columns).map(([name, cpu, memory, gpus, share, models, createdAt, deletedAt]) => ({
    name: name!,
    cpu: Number(cpu),
    memoryMib: Number(memory),
    gpu: Number(gpus) > 1 ? Number(gpus) * 1_000 : Number(gpus) * Number(share),
    models: models === '' ? [] : models!.split('|'),
    createdAt: Number(createdAt),
    deletedAt: Number(deletedAt),
  }));
}

/** Comma-separated, without quotes; the columns in the order asked for. */
function readRows(file: string, columns: readonly string[]): readonly (readonly string[])[] {
  const [header, ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  const names = header!.split(',');
  const places = columns.map((column) => {
    const place = names.indexOf(column);
    if (place < 0) throw new Error(`${file} has no column ${column}; it has ${header}.`);
    return place;
  });
  return lines.map((line) => {
    const cells = line.split(',');
    return places.map((place) => cells[place] ?? '');
  });
}
