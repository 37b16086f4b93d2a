/**
 * From each state, the states that may follow it. A state without successors is terminal.
 * The compiler refuses a misspelt successor.
 */
export function transitions<const Table extends { readonly [From in keyof Table]: readonly (keyof Table)[] }>(
  table: Table,
): Table {
  return table;
}

/** The states of a table that nothing follows. */
export type Terminal<Table> = { [State in keyof Table]: Table[State] extends readonly [] ? State : never }[keyof Table];

/** The terminal states of a table, as a set to ask. */
export function terminalStates<Table extends Readonly<Record<string, readonly string[]>>>(
  table: Table,
): ReadonlySet<string> {
  return new Set(Object.keys(table).filter((state) => table[state]?.length === 0));
}

/** An illegal transition is a bug of ours: it throws, and the engine drops its memory and reloads. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
  constructor(subject: string, from: string, to: string) {
    super(`${subject} cannot go from ${from} to ${to}.`);
  }
}

/** Throws IllegalTransition unless the table lets `to` follow `from`. */
export function assertTransition(
  table: Readonly<Record<string, readonly string[]>>,
  subject: string,
  from: string,
  to: string,
): void {
  if (!table[from]?.includes(to)) throw new IllegalTransition(subject, from, to);
}
