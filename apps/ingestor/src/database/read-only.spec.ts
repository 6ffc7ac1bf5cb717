import { createDataSource } from '@tiltak/database';
import { testEnvironment, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import { startTestIngestor, type TestIngestor } from '../testing/test-ingestor.ts';
import { databaseOptionsFrom, prepareDatabase } from './connect.ts';

/** As after a failover, or by whoever is on duty; what is connected meanwhile is read-only for as long as it lives. */
let ingestor: TestIngestor;
beforeAll(async () => {
  ingestor = await startTestIngestor();
}, 60_000);
afterAll(() => ingestor.stop());

/** Those that come anew get it, and those that were there before have to. */
async function setReadOnly(on: boolean): Promise<void> {
  const superuser = new pg.Client({ connectionString: testEnvironment().postgres });
  await superuser.connect();
  const { DB_DATABASE: database } = ingestor.ingestor.config;
  const setting = on ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only';
  await superuser.query(`alter database ${database} ${setting}`);
  if (on) {
    await superuser.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = 'ingestor-nav'`,
      [database],
    );
  }
  await superuser.end();
}

const missing = async (): Promise<string[]> =>
  ((await (await fetch(`${ingestor.url}/internal/isready`)).json()) as { mangler: string[] }).mangler;

test('a database that is read-only for a while is 503, not ready, and comes back by itself', async () => {
  await setReadOnly(true);
  await waitUntil(async () => (await missing()).includes('database'), { what: 'not to be ready' });
  const answers = [
    await ingestor.call('POST', '/drift/v1/gjenoppbygging', {}),
    await ingestor.call('POST', '/drift/v1/parkerte/spill-av', { kode: 'X' }),
    await ingestor.call('POST', '/adapter/v1/hjerteslag', {}, { scope: 'tiltak:adapter', organisasjon: 'nav' }),
    await ingestor.call('GET', '/drift/v1/status'),
  ];
  expect(answers.map(({ status }) => status).filter((status) => status >= 500 && status !== 503)).toEqual([]);
  const { config, deltakerId } = ingestor.ingestor;
  const other = createDataSource(databaseOptionsFrom(config));
  const starting = prepareDatabase(config, other, deltakerId);
  await waitUntil(() => Promise.resolve(other.isInitialized), { what: 'the other to connect' });
  await expect(ingestor.ingestor.pool.query('update konsum_offset set neste_offset = 0')).rejects.toMatchObject({
    code: '25006',
  });
  await setReadOnly(false);
  await waitUntil(async () => !(await missing()).includes('database'), { what: 'the database to be ready' });
  await ingestor.ingestor.pool.query('update konsum_offset set neste_offset = 0');
  // Who was started meanwhile has waited.
  await starting;
  await other.destroy();
});
