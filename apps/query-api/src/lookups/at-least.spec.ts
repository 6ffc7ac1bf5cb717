import { createTestDatabase, type TestDatabase } from '@tiltak/testing';
import pg from 'pg';
import { before, encodePosition } from '../changes/feed-position.ts';
import { queryAtLeast } from './at-least.ts';
import { unavailable } from './reader.ts';

const EPOCH = '7f9c1';
const REACHED = encodePosition(EPOCH, before(2n));
const QUERY = { text: 'select pg_backend_pid() as pid' };

let database: TestDatabase;
let pool: pg.Pool;
let closed = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pool.on('release', (error) => {
    // The types say that there always is one.
    if (error as unknown) closed++;
  });
  await pool.query(`create function endringsepoke() returns text return '${EPOCH}'`);
});
afterAll(async () => {
  await pool.end();
  await database.remove();
});

test('a refusal keeps the connection, outside of any transaction', async () => {
  const [tag = '', tx = ''] = Buffer.from(REACHED, 'base64url').toString().split('.');
  const madeUp = Buffer.from(`${tag}.${tx}.0.00000000`).toString('base64url');
  await expect(queryAtLeast(() => pool.connect(), QUERY, madeUp)).rejects.toMatchObject({
    problemType: { status: 400 },
  });
  const getTypeParser = () => (): never => {
    throw unavailable('Too much is being looked up');
  };
  const refused = queryAtLeast(() => pool.connect(), { ...QUERY, types: { getTypeParser } }, REACHED);
  await expect(refused).rejects.toMatchObject({ problemType: { status: 503 } });
  expect(closed).toBe(0);
  const { rows } = await pool.query('select now() = statement_timestamp() as outside');
  expect(rows).toEqual([{ outside: true }]);
  expect(await queryAtLeast(() => pool.connect(), QUERY, REACHED)).toHaveLength(1);
});

test('after any other error the connection is closed', async () => {
  await expect(queryAtLeast(() => pool.connect(), { text: 'select 1/0' }, REACHED)).rejects.toThrow('division by zero');
  expect(closed).toBe(1);
});
