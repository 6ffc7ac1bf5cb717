import { waitUntil } from '@tiltak/testing';
import { startTestIngestor, type TestIngestor } from '../testing/test-ingestor.ts';

/** As after a failover, or by whoever is on duty; what is connected meanwhile is read-only for as long as it lives. */
let ingestor: TestIngestor;
beforeAll(async () => {
  ingestor = await startTestIngestor();
}, 60_000);
afterAll(() => ingestor.stop());

async function setReadOnly(on: boolean): Promise<void> {
  const { DB_DATABASE: database } = ingestor.ingestor.config;
  await ingestor.owner.query('set default_transaction_read_only = off');
  await ingestor.owner.query(
    `alter database ${database} ${on ? 'set' : 'reset'} default_transaction_read_only${on ? ' = on' : ''}`,
  );
  // As a server that goes down: those that come anew are read-only.
  await ingestor.owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'ingestor-%' and pid <> pg_backend_pid() and usename like '%ingestor'`,
    [on ? database : ''],
  );
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
  await expect(ingestor.ingestor.pool.query('delete from konsum_offset')).rejects.toMatchObject({ code: '25006' });
  await setReadOnly(false);
  await waitUntil(async () => !(await missing()).includes('database'), { what: 'the database to be ready' });
  await ingestor.ingestor.pool.query('delete from konsum_offset');
});
