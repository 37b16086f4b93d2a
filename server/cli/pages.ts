import type { Client, Variables } from './client.ts';
import type { OperationName } from './operations.ts';

/** The server answers at most 5,000 objects at once; a node has some forty. */
const PAGE = 100;

/** A connection as the API answers it. */
export interface Page<Row> {
  readonly nodes: readonly Row[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** The first `limit` rows of a list, page by page. `listOf` takes the connection out of an answer. */
export async function firstRows<Row, Data>(
  client: Client,
  operation: OperationName,
  variables: Variables,
  listOf: (data: Data) => Page<Row>,
  limit = 10_000,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let after: string | null = null;
  while (rows.length < limit) {
    const first = Math.min(PAGE, limit - rows.length);
    const page: Page<Row> = listOf(await client.ask<Data>(operation, { ...variables, first, after }));
    rows.push(...page.nodes);
    if (!page.pageInfo.hasNextPage || page.pageInfo.endCursor === null) break;
    after = page.pageInfo.endCursor;
  }
  return rows;
}
