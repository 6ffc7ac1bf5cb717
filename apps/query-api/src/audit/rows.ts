import type { PoolClient, QueryResultRow } from 'pg';

/** Enough that the round trips are few, and so few that they are a few MiB. */
const AT_A_TIME = 2_000;

/** The rows of a statement, some at a time, which the database has found once. Only in a transaction. */
export async function* rowsOf<Row extends QueryResultRow>(
  session: PoolClient,
  text: string,
  values: readonly unknown[],
): AsyncGenerator<Row[]> {
  await session.query(`declare linjer no scroll cursor for ${text}`, [...values]);
  for (;;) {
    const { rows } = await session.query<Row>(`fetch ${String(AT_A_TIME)} from linjer`);
    if (rows.length > 0) yield rows;
    if (rows.length < AT_A_TIME) break;
  }
  await session.query('close linjer');
}
