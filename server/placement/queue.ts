import type { PendingTask, Reason } from '@gantry/plugin-kit/scheduler';
import type { TaskShape } from './shape.ts';

/** A task run that wants to be placed. */
export interface PlacementRequest {
  /** The task run's id. */
  readonly key: string;
  readonly shape: TaskShape;
  readonly priority: number;
  /** Since when it has been READY. */
  readonly readySince: number;
  readonly tenant: string;
  /** How many its gang has, when its shape says that it is of one. */
  readonly gangSize?: number;
  /** When the scheduler wants it. */
  readonly forecast?: Forecast | undefined;
}

export type Forecast = Pick<PendingTask, 'durationMs' | 'rankMs'>;

/**
 * Why no task of a group is offered. FULL: no node has room, and a node with more room than before ends it. LEFT: there
 * is room, and the scheduler has not used it; any change ends it. HELD: there is room, and only on nodes that are held
 * for others; a node that is not held, or not any more, ends it. GATHERING: not all of the gang are there yet.
 */
export type Rest = 'FULL' | 'LEFT' | 'HELD' | 'GATHERING';

/** A task run in the queue. */
export class Pending {
  readonly key: string;
  readonly group: Group;
  readonly priority: number;
  readonly readySince: number;
  readonly tenant: string;
  /** Tells apart those that became READY at the same time. */
  readonly sequence: number;
  /** The call in which it was offered last, and whether that call has decided on it. */
  call = 0;
  isDecided = false;
  /** Why the scheduler holds it back. */
  hold: Reason | null = null;
  /** The value of the label for which it was offered, when it is spread over one. */
  domain: string | null | undefined = undefined;
  isGone = false;
  /** What the scheduler is told of its run, when it asked. */
  readonly forecast: Forecast | undefined;

  constructor({ key, priority, readySince, tenant, forecast }: PlacementRequest, group: Group, sequence: number) {
    this.forecast = forecast;
    this.key = key;
    this.group = group;
    this.priority = priority;
    this.readySince = readySince;
    this.tenant = tenant;
    this.sequence = sequence;
  }

  get shape(): TaskShape {
    return this.group.shape;
  }
}

/** The pending task runs of one shape. */
export class Group {
  readonly shape: TaskShape;
  /** By priority, highest first. */
  readonly lines: Line[] = [];
  size = 0;
  /** How many of a gang there must be; 0 when it is none. */
  gangSize = 0;
  rest: Rest | null = null;
  /** Its index among the shapes of a call, the first of one per domain when it is spread, and that call. */
  index = -1;
  domains: readonly (string | null)[] = [];
  call = 0;
  /** How many were offered in that call, and how many of them placed. */
  offered = 0;
  placed = 0;

  constructor(shape: TaskShape) {
    this.shape = shape;
  }

  line(priority: number): Line {
    let at = 0;
    for (; at < this.lines.length; at++) {
      const line = this.lines[at]!;
      if (line.priority === priority) return line;
      if (line.priority < priority) break;
    }
    const line = new Line(priority);
    this.lines.splice(at, 0, line);
    return line;
  }
}

/** The pending task runs of one shape and priority, longest waiting first. */
export class Line {
  readonly priority: number;
  size = 0;
  #entries: Pending[] = [];
  #head = 0;
  #isSorted = true;

  constructor(priority: number) {
    this.priority = priority;
  }

  push(entry: Pending): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && byWaiting(entry, last) < 0) this.#isSorted = false;
    this.#entries.push(entry);
    this.size++;
  }

  /** Those that have gone stay in the array until they are half of it: nothing is moved for one. */
  removed(): void {
    this.size--;
    if (this.#entries.length - this.#head > 2 * this.size + 64) {
      this.#entries = this.#entries.filter(({ isGone }) => !isGone);
      this.#head = 0;
    }
  }

  /** Puts the first ones into `into`, at most `count`. */
  take(into: Pending[], count: number): void {
    this.#tidy();
    const end = into.length + count;
    for (let at = this.#head; at < this.#entries.length && into.length < end; at++) {
      const entry = this.#entries[at]!;
      if (!entry.isGone) into.push(entry);
    }
  }

  /** Who is first; the line is not empty. */
  get head(): Pending {
    return this.walk().entry!;
  }

  /** Goes along the line from its head. */
  walk(): Walk {
    this.#tidy();
    return new Walk(this.#entries, this.#head);
  }

  #tidy(): void {
    if (!this.#isSorted) {
      this.#entries = this.#entries
        .slice(this.#head)
        .filter(({ isGone }) => !isGone)
        .sort(byWaiting);
      this.#head = 0;
      this.#isSorted = true;
    }
    while (this.#head < this.#entries.length && this.#entries[this.#head]!.isGone) this.#head++;
    if (this.#head > 1_024 && 2 * this.#head > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** A place in a line; `entry` is null behind its end. Good until the line changes. */
class Walk {
  entry: Pending | null = null;
  readonly #entries: readonly Pending[];
  #at: number;

  constructor(entries: readonly Pending[], from: number) {
    this.#entries = entries;
    this.#at = from - 1;
    this.next();
  }

  next(): void {
    do this.entry = this.#entries[++this.#at] ?? null;
    while (this.entry?.isGone);
  }
}

/** What says how urgent something is. */
type Waiting = Pick<Pending, 'priority' | 'readySince' | 'sequence'>;

/** Longest waiting first. */
export const byWaiting = (one: Waiting, other: Waiting): number =>
  one.readySince - other.readySince || one.sequence - other.sequence;

/** The more urgent first, as a person would say: higher priority, then longer waiting. */
export const byUrgency = (one: Waiting, other: Waiting): number =>
  other.priority - one.priority || byWaiting(one, other);

/** The line whose first is the most urgent. */
const mostUrgent = (lines: readonly Line[]): Line =>
  lines.reduce((best, line) => (byUrgency(line.head, best.head) < 0 ? line : best));

/** Of an offer that cannot hold all, so much goes to those that wait longest, whatever their priority. */
const WAITING_SHARE = 1 / 8;

/** Groups that are empty are kept, up to so many at least: a pool's shapes come again and again. */
const KEPT_GROUPS = 1_024;

/**
 * The pool's READY task runs. They are grouped by shape, so that a shape for which there is no room costs nothing until
 * something changes, and within it by priority, so that an offer can be drawn up without a look at all of them.
 */
export class PlacementQueue {
  readonly #byKey = new Map<string, Pending>();
  readonly #groups = new Map<string, Group>();
  /** Groups with task runs in them: one of the two. */
  readonly #awake = new Set<Group>();
  readonly #resting = new Set<Group>();
  #sequence = 0;
  #groupLimit = KEPT_GROUPS;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Pending | undefined {
    return this.#byKey.get(key);
  }

  entries(): Iterable<Pending> {
    return this.#byKey.values();
  }

  /** Groups that are to be offered, and groups that rest until something changes. */
  get awake(): ReadonlySet<Group> {
    return this.#awake;
  }
  get resting(): ReadonlySet<Group> {
    return this.#resting;
  }

  /** A key that is there already is replaced. */
  add(request: PlacementRequest): void {
    const known = this.#byKey.get(request.key);
    if (known !== undefined) this.remove(known);
    const group = this.#group(request.shape);
    const entry = new Pending(request, group, ++this.#sequence);
    this.#byKey.set(entry.key, entry);
    group.line(entry.priority).push(entry);
    if (group.size++ === 0) this.#awake.add(group);
    if (!group.shape.rules?.gang) return;
    group.gangSize = Math.max(group.gangSize, request.gangSize ?? 1);
    if (group.size < group.gangSize) this.rest(group, 'GATHERING');
    else this.wake(group);
  }

  remove(entry: Pending): void {
    entry.isGone = true;
    this.#byKey.delete(entry.key);
    const { group } = entry;
    const line = group.line(entry.priority);
    line.removed();
    if (line.size === 0 && group.lines.length > 1) group.lines.splice(group.lines.indexOf(line), 1);
    if (--group.size > 0) {
      if (group.gangSize > 0) this.rest(group, 'GATHERING');
      return;
    }
    this.#awake.delete(group);
    this.#resting.delete(group);
    group.rest = null;
  }

  rest(group: Group, rest: Rest): void {
    group.rest = rest;
    this.#awake.delete(group);
    this.#resting.add(group);
  }

  wake(group: Group): void {
    group.rest = null;
    this.#resting.delete(group);
    this.#awake.add(group);
  }

  /**
   * The task runs to offer, longest waiting first; none of a group that rests. Where there are more than `count`, those
   * of the highest priorities are taken, but for an eighth, which goes to those that have waited longest, so that a
   * scheduler that lets priorities age sees whom it concerns. A gang is offered alone, with all the room that there is:
   * when it is more urgent than anything else, or nothing else is left to offer.
   *
   * @param isShared Every tenant has its part of an offer that cannot hold all: for schedulers that weigh tenants.
   */
  offer(count: number, isShared = false): readonly Pending[] {
    const lines: Line[] = [];
    let waiting = 0;
    const gangs: Line[] = [];
    for (const group of this.#awake) {
      if (group.gangSize > 0) {
        // Of one run, and so of one priority.
        gangs.push(group.lines[0]!);
        continue;
      }
      for (const line of group.lines) if (line.size > 0) lines.push(line);
      waiting += group.size;
    }
    const offered: Pending[] = [];
    const gang = gangs.length > 0 ? mostUrgent(gangs) : null;
    if (gang !== null && (lines.length === 0 || byUrgency(gang.head, mostUrgent(lines).head) < 0)) {
      gang.take(offered, gang.size);
      return offered;
    }
    if (waiting <= count || lines.length === 1) {
      for (const line of lines) line.take(offered, count);
      if (lines.length > 1) offered.sort(byWaiting);
      return offered;
    }
    return isShared ? chooseByTenant(lines, count) : chooseAmong(lines, count);
  }

  #group(shape: TaskShape): Group {
    let group = this.#groups.get(shape.key);
    if (group === undefined) {
      if (this.#groups.size >= this.#groupLimit) this.#forgetEmpty();
      group = new Group(shape);
      this.#groups.set(shape.key, group);
    }
    return group;
  }

  #forgetEmpty(): void {
    for (const [key, { size }] of this.#groups) if (size === 0) this.#groups.delete(key);
    this.#groupLimit = Math.max(KEPT_GROUPS, 2 * this.#groups.size);
  }
}

/** As many of each tenant, its most urgent first; what they leave goes to whoever is most urgent. */
function chooseByTenant(lines: readonly Line[], count: number): readonly Pending[] {
  const byTenant = new Map<string, Pending[]>();
  for (const line of lines.toSorted((one, other) => other.priority - one.priority)) {
    for (const walk = line.walk(); walk.entry !== null; walk.next()) {
      const known = byTenant.get(walk.entry.tenant);
      if (known === undefined) byTenant.set(walk.entry.tenant, [walk.entry]);
      else known.push(walk.entry);
    }
  }
  const chosen = new Set<Pending>();
  const part = Math.max(1, Math.floor(count / byTenant.size));
  for (const entries of byTenant.values()) {
    for (const entry of entries.sort(byUrgency).slice(0, part)) if (chosen.size < count) chosen.add(entry);
  }
  if (chosen.size < count) {
    for (const entry of chooseAmong(lines, count)) if (chosen.size < count) chosen.add(entry);
  }
  return [...chosen].sort(byWaiting);
}

/** So many of some lines, as an offer would take them; the longest waiting first. */
export function chooseAmong(lines: readonly Line[], count: number): readonly Pending[] {
  const chosen = new Set<Pending>();
  const priorities = [...new Set(lines.map(({ priority }) => priority))].sort((one, other) => other - one);
  const forWaiting = priorities.length > 1 ? Math.floor(count * WAITING_SHARE) : 0;
  addLongestWaiting(chosen, lines, forWaiting);
  for (const priority of priorities) {
    if (chosen.size >= count) break;
    addLongestWaiting(
      chosen,
      lines.filter((line) => line.priority === priority),
      count,
    );
  }
  return [...chosen].sort(byWaiting);
}

/** Adds the longest waiting of several lines until there are `count`: a merge, with the next of each line in a heap. */
function addLongestWaiting(chosen: Set<Pending>, lines: readonly Line[], count: number): void {
  const heap: Walk[] = lines.map((line) => line.walk()).filter(({ entry }) => entry !== null);
  for (let place = (heap.length >> 1) - 1; place >= 0; place--) moveDown(heap, place);
  while (heap.length > 0 && chosen.size < count) {
    const top = heap[0]!;
    chosen.add(top.entry!);
    top.next();
    if (top.entry === null) {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      heap[0] = last;
    }
    moveDown(heap, 0);
  }
}

function moveDown(heap: Walk[], from: number): void {
  const moving = heap[from]!;
  let place = from;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && byWaiting(heap[child + 1]!.entry!, heap[child]!.entry!) < 0) child++;
    if (byWaiting(moving.entry!, heap[child]!.entry!) <= 0) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = moving;
}
