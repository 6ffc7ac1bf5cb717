import { createQueryApiClient, followAvtaler, PostgresStore } from '@tiltak/datadeling-klient';
import pg from 'pg';

/**
 * A consumer that keeps a copy in its own Postgres, as the README of the client shows. In a process of its own, so that it
 * can be killed. `onChange` notes each change in the consumer's own table, in the same transaction.
 */
const [baseUrl = '', token = '', connectionString = ''] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString });
pool.on('error', () => undefined);
const client = createQueryApiClient({ baseUrl, getToken: () => token, budgetMs: 5_000 });
const store = new PostgresStore({
  pool,
  onChange: async (db, { position }) => {
    await db.query('insert into hendelse (posisjon) values ($1)', [position]);
  },
});
await followAvtaler({ client, store, count: 50, waitSeconds: 2 });
