import { join } from 'node:path';
import pg from 'pg';
import { createWorkDir } from './work-dir.ts';
import { PostgresGroup } from './postgres-group.ts';

const { directory, clean } = createWorkDir('spec');
afterAll(clean);

async function ask(server: { url: string }, sql: string): Promise<unknown[]> {
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

test('behind one address a standby takes over, again and again, and the data of the last one is what the next run begins with', async () => {
  const options = { directory: join(directory, 'group'), logFile: (name: string) => join(directory, `${name}.log`) };
  const group = await PostgresGroup.start({ ...options, standby: true, replica: true });
  try {
    await ask(group, 'create table rad (n int)');
    for (const n of [1, 2]) {
      await ask(group, `insert into rad values (${String(n)})`);
      await group.standby?.caughtUp();
      await group.failOver();
      await ask(group, 'insert into rad values (0)');
      await group.replica?.caughtUp();
      expect(await ask(group.replica ?? group, COUNT)).toEqual([{ n: 2 * n }]);
      await group.addStandby();
    }
  } finally {
    await group.stop();
  }
  const next = await PostgresGroup.start(options);
  expect(await ask(next, COUNT)).toEqual([{ n: 4 }]);
  await next.stop();
}, 60_000);
