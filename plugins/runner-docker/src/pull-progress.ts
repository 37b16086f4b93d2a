/** A line of an engine's answer while it pulls. */
export interface PullEvent {
  /** Of a layer; of some other lines the tag. */
  readonly id?: string;
  readonly status?: string;
  /** Why it could not be pulled: the last line then. */
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** A layer is had when it has come and when it has been unpacked: half each. */
const COME = 0.5;

/** How far a pull is, from what its engine says of single layers. It never goes back. */
export class PullProgress {
  readonly #layers = new Map<string, number>();
  #fraction = 0;

  /** Whether there is any layer yet. */
  get hasBegun(): boolean {
    return this.#layers.size > 0;
  }

  /** From 0 to 1: the mean of all layers, so many as are known. */
  get fraction(): number {
    return this.#fraction;
  }

  /** Takes a line in; says whether it has begun or moved on by it. */
  note({ id, status, progressDetail }: PullEvent): boolean {
    if (id === undefined || status === undefined) return false;
    const { current = 0, total = 0 } = progressDetail ?? {};
    const part = partOf(status, total > 0 ? Math.min(current / total, 1) : 0);
    if (part === null) return false;
    const isFirst = !this.hasBegun;
    this.#layers.set(id, Math.max(part, this.#layers.get(id) ?? 0));
    const parts = [...this.#layers.values()];
    const fraction = parts.reduce((sum, each) => sum + each, 0) / parts.length;
    const hasMoved = fraction > this.#fraction;
    if (hasMoved) this.#fraction = fraction;
    return hasMoved || isFirst;
  }
}

/** How much of a layer is had; null for a line that is of no layer. */
function partOf(status: string, share: number): number | null {
  if (/^(Pulling fs layer|Waiting)/.test(status)) return 0;
  if (status.startsWith('Downloading')) return COME * share;
  if (/^(Verifying Checksum|Download complete)/.test(status)) return COME;
  if (status.startsWith('Extracting')) return COME + (1 - COME) * share;
  return /^(Pull complete|Already exists)/.test(status) ? 1 : null;
}
