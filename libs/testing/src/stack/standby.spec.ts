import { join } from 'node:path';
import pg from 'pg';
import { createWorkDir } from './work-dir.ts';
import { startPostgres, type LocalPostgres } from './postgres.ts';
import { freePort } from './process.ts';
import { startStandby, type Standby } from './standby.ts';

const { directory, clean } = createWorkDir('spec');
const started: LocalPostgres[] = [];

const place = async (name: string): Promise<{ port: number; dataDir: string; logFile: string }> => ({
  port: await freePort(),
  dataDir: join(directory, name),
  logFile: join(directory, `${name}.log`),
});

async function standbyOf(primary: LocalPostgres, name: string): Promise<Standby> {
  const standby = await startStandby(primary, await place(name));
  started.push(standby);
  return standby;
}

let primary: LocalPostgres;

beforeAll(async () => {
  primary = await startPostgres(await place('primary'));
  started.push(primary);
});

afterAll(async () => {
  for (const server of started.reverse()) await server.stop();
  clean();
});

async function ask(server: LocalPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>({ text: sql })).rows;
  } finally {
    await client.end();
  }
}

const COUNT = 'select count(*)::int as n from rad';
const IDENTITY = `select system_identifier::text as id, (pg_control_checkpoint()).timeline_id as timeline from pg_control_system()`;

test('a standby made while the primary writes has all of it, lags when paused, and takes over with those who follow it', async () => {
  await ask(primary, 'create table rad (n int)');
  let writing = true;
  const writer = (async () => {
    for (let n = 0; writing || n < 50; n++)
      await ask(primary, `insert into rad select ${String(n)} from generate_series(1, 50)`);
  })();
  const standby = await standbyOf(primary, 'standby');
  const replica = await standbyOf(standby, 'replica');
  writing = false;
  await writer;
  const all = await ask(primary, COUNT);
  await standby.caughtUp();
  await replica.caughtUp();
  expect(await ask(standby, COUNT)).toEqual(all);
  expect(await ask(replica, COUNT)).toEqual(all);
  await expect(ask(standby, 'delete from rad')).rejects.toMatchObject({ code: '25006' });

  await replica.pause();
  await ask(primary, 'delete from rad');
  await standby.caughtUp();
  expect([await ask(standby, COUNT), await ask(replica, COUNT)]).toEqual([[{ n: 0 }], all]);
  await replica.resume();
  await replica.caughtUp();
  expect(await ask(replica, COUNT)).toEqual([{ n: 0 }]);

  const [before] = await ask(primary, IDENTITY);
  await primary.kill();
  await standby.promote();
  await ask(standby, 'insert into rad values (1)');
  await replica.caughtUp();
  expect(await ask(replica, COUNT)).toEqual([{ n: 1 }]);
  await ask(standby, 'checkpoint');
  const [after] = await ask(standby, IDENTITY);
  expect(after).toEqual({ ...(before as object), timeline: 2 });
}, 60_000);
