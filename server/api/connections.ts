import type { Page, PageArgs } from '../store/store.ts';
import { builder } from './builder.ts';
import { badInput } from './errors.ts';

/** The largest page. */
export const MAX_PAGE = 500;
/** How long a page is when nobody says. */
export const DEFAULT_PAGE = 50;

/** A page on its way out, with a way to count the whole list if somebody asks and anybody can. */
export interface Connection<Row> {
  readonly page: Page<Row>;
  readonly args: PageArgs;
  readonly count: (() => Promise<number>) | null;
}

interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

const PageInfoRef = builder.objectRef<PageInfo>('PageInfo').implement({
  role: 'VIEWER',
  description: 'Where a page lies in its list.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether there is more after this page.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description: 'Whether this page was asked for with `after`, so that there was something before it.',
    }),
    startCursor: t.exposeString('startCursor', { nullable: true, description: 'The cursor of the first edge.' }),
    endCursor: t.exposeString('endCursor', {
      nullable: true,
      description: 'The cursor of the last edge: hand it in as `after` to get the next page.',
    }),
  }),
});

/** The arguments of every connection. */
export const pageArgs = () =>
  builder.args((t) => ({
    first: t.int({
      required: false,
      description: `How many at most; ${DEFAULT_PAGE} unless told, ${MAX_PAGE} at most.`,
    }),
    after: t.string({ required: false, description: 'Begins after the edge with this cursor.' }),
  }));

/** Checks a page's arguments. */
export function readPageArgs({
  first,
  after,
}: {
  first?: number | null | undefined;
  after?: string | null | undefined;
}): PageArgs {
  const size = first ?? DEFAULT_PAGE;
  if (size < 0 || size > MAX_PAGE) {
    throw badInput(`\`first\` may be from 0 to at most ${MAX_PAGE}, not ${size}. Take the rest with \`after\`.`);
  }
  return after === undefined || after === null ? { first: size } : { first: size, after };
}

/** A connection whose page is loaded and whose count is asked for only when it is selected. */
export async function connectionOf<Row>(
  args: PageArgs,
  page: Promise<Page<Row>>,
  count: (() => Promise<number>) | null = null,
): Promise<Connection<Row>> {
  return { page: await page, args, count };
}

/** Declares `<name>Connection` and `<name>Edge`. `plural` says what the list holds; not every list can be counted. */
export function connectionType<Row extends object>(
  name: string,
  row: object,
  plural: string,
  { isCounted = true }: { readonly isCounted?: boolean } = {},
) {
  const node = row as ReturnType<typeof builder.objectRef<Row>>;
  const edge = builder.objectRef<{ readonly row: Row; readonly cursor: string }>(`${name}Edge`).implement({
    role: 'VIEWER',
    description: `One of a list of ${plural}.`,
    fields: (t) => ({
      node: t.field({ type: node, description: 'The thing itself.', resolve: (item) => item.row as never }),
      cursor: t.exposeString('cursor', { description: 'Its place in the list. Opaque.' }),
    }),
  });
  return builder.objectRef<Connection<Row>>(`${name}Connection`).implement({
    role: 'VIEWER',
    description: `A page of ${plural}.`,
    extensions: { isConnection: true },
    fields: (t) => ({
      edges: t.field({ type: [edge], description: 'The page, in order.', resolve: ({ page }) => page.rows as never }),
      nodes: t.field({
        type: [node],
        description: 'The page without cursors.',
        resolve: ({ page }) => page.rows.map((item) => item.row) as never,
      }),
      pageInfo: t.field({
        type: PageInfoRef,
        description: 'Where the page lies in the list.',
        resolve: ({ page, args }) => ({
          hasNextPage: page.hasNextPage,
          hasPreviousPage: args.after !== undefined,
          startCursor: page.rows[0]?.cursor ?? null,
          endCursor: page.endCursor ?? page.rows.at(-1)?.cursor ?? null,
        }),
      }),
      ...(isCounted && {
        totalCount: t.int({
          description: 'How many there are in the whole list. Counted only when it is asked for.',
          resolve: ({ count }) => count!(),
        }),
      }),
    }),
  });
}
