import type { Pool, PoolClient } from 'pg';

/** @param begynn how the transaction begins, when it is not an ordinary one */
export async function iTransaksjon<T>(
  pool: Pool,
  arbeid: (db: PoolClient) => Promise<T>,
  begynn = 'begin',
): Promise<T> {
  const db = await pool.connect();
  try {
    await db.query(begynn);
    const svar = await arbeid(db);
    await db.query('commit');
    db.release();
    return svar;
  } catch (feil) {
    // Whatever state the connection is in: a new one costs less than a doubt.
    db.release(true);
    throw feil;
  }
}
