import type { Pool, PoolClient } from 'pg';

/** @param begin how the transaction begins, when it is not an ordinary one */
export async function inTransaction<T>(pool: Pool, work: (db: PoolClient) => Promise<T>, begin = 'begin'): Promise<T> {
  const db = await pool.connect();
  try {
    await db.query(begin);
    const result = await work(db);
    await db.query('commit');
    db.release();
    return result;
  } catch (error) {
    // Whatever state the connection is in: a new one costs less than a doubt.
    db.release(true);
    throw error;
  }
}
