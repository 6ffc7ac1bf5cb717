import type { PoolClient, QueryResultRow } from 'pg';

/** Enough that the round trips are few, and so few that they are a few MiB. */
const AT_A_TIME = 2_000;

/**
 * The rows of a statement, some at a time, which the database has found once. Only in a transaction, beside those of
 * another name.
 *
 * @param plan how the statement is to be planned: said right before it is
 */
export async function* rowsOf<Row extends QueryResultRow>(
  session: PoolClient,
  text: string,
  values: readonly unknown[],
  { cursor = 'linjer', plan }: { cursor?: string; plan?: string } = {},
): AsyncGenerator<Row[]> {
  if (plan !== undefined) await session.query(plan);
  await session.query(`declare ${cursor} no scroll cursor for ${text}`, [...values]);
  for (;;) {
    const { rows } = await session.query<Row>(`fetch ${String(AT_A_TIME)} from ${cursor}`);
    if (rows.length > 0) yield rows;
    if (rows.length < AT_A_TIME) break;
  }
  await session.query(`close ${cursor}`);
}
