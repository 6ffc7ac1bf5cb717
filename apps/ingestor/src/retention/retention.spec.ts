import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import fc from 'fast-check';
import { feedHorizon } from '@tiltak/database';
import pg from 'pg';
import { metrics } from '../metrics.ts';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { makePartitions, readPartitions } from './partitions.queries.ts';
import { Retention } from './retention.job.ts';
import { applyRetention, planRetention, type RetentionOptions, type RetentionOutcome } from './retention.ts';
import { retentionRules } from './rules.ts';

const DAYS = 90;
const DAY_MS = 86_400_000;
const RULES = retentionRules({ ENDRINGER_BEHOLDES_DAGER: DAYS, OPPSLAG_DAGER: undefined });

let setup: TestIngest;
let older: pg.Client;
beforeAll(async () => {
  setup = await startTestIngest();
  older = await connect();
});
afterAll(async () => {
  await older.end();
  await setup.stop();
});

afterEach(() => older.query('rollback'));

function login(): pg.ClientConfig {
  const {
    DB_HOST: host,
    DB_PORT: port,
    DB_DATABASE: database,
    DB_USERNAME: user,
    DB_PASSWORD: password,
  } = setup.ingestor.config;
  return { host, port, database, user, password };
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(login());
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

interface Line {
  tx: bigint;
  /** age in days, by the clock of the database then */
  days: number;
}

type Table = 'endring' | 'avtale_endring' | 'virksomhet_endring';

/** What a line must have beside transaction and time. */
const COLUMNS: Record<Table, [columns: string, values: string]> = {
  endring: ['avtale_id, type', `gen_random_uuid(), 'ENDRET'`],
  avtale_endring: ['avtale_id', 'gen_random_uuid()'],
  virksomhet_endring: ['organisasjonsnummer, type', `'999999999', 'ENDRET'`],
};
const AVTALER: Table[] = ['endring', 'avtale_endring'];

/** Feeds of these lines, each in the partition of its month. Transaction ids are below all that are given out now. */
async function fill(lines: readonly Line[], more: Partial<Record<Table, readonly Line[]>> = {}): Promise<void> {
  await setup.owner.query(
    `update instans set beskaaret_til = '0'; update partisjonering set beskaaret_til = '0' where beskaaret_til is not null`,
  );
  for (const { table, month } of await readPartitions(setup.pool, { count: false })) {
    if (month !== null) await setup.owner.query(`drop table ${table}_${month}`);
  }
  const all = { ...Object.fromEntries(AVTALER.map((table) => [table, lines])), ...more };
  for (const [table, of] of Object.entries(all)) {
    const [columns, values] = COLUMNS[table as Table];
    await setup.owner.query(
      `insert into ${table} (tx, tidspunkt, ${columns})
       select tx, now() - make_interval(secs => alder), ${values} from unnest($1::text[]::xid8[], $2::float8[]) as l(tx, alder)`,
      [of.map(({ tx }) => String(tx)), of.map(({ days }) => days * 86_400)],
    );
  }
  await makePartitions(setup.pool);
}

async function state(feed: Table = 'endring'): Promise<{ left: bigint[]; prunedUntil: bigint }> {
  const rows = await setup.owner.query<{ tx: string }[]>(`select tx from ${feed} order by tx, lopenr`);
  const [instance] = await setup.owner.query<{ beskaaret_til: string }[]>(
    `select beskaaret_til from ${feedHorizon(feed)}`,
  );
  return { left: rows.map(({ tx }) => BigInt(tx)), prunedUntil: BigInt(instance?.beskaaret_til ?? 0) };
}

/** A round, and the one after the minute in which the horizon may not be known to all. */
async function applyTwice(options: RetentionOptions = {}): Promise<RetentionOutcome[]> {
  await applyRetention(setup.pool, RULES, options);
  await passMinute();
  return applyRetention(setup.pool, RULES, options);
}

const passMinute = async (): Promise<void> => {
  for (const horizons of ['instans', 'partisjonering'])
    await setup.owner.query(`update ${horizons} set beskaaret_tidspunkt = beskaaret_tidspunkt - interval '2 minutes'`);
};

/** Months since year 0, in UTC, of so many days ago. */
const monthOf = (days: number): number => {
  const then = new Date(Date.now() - days * DAY_MS);
  return then.getUTCFullYear() * 12 + then.getUTCMonth();
};
const endOf = (days: number): number => {
  const month = monthOf(days) + 1;
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
};

test.each(['endring', 'virksomhet_endring'] as const)(
  'of any feed, %s: nothing younger than it is kept for is passed by, nor the last line, and what goes is behind the horizon',
  async (feed) => {
    // Not in the hour in which a line of the test becomes old, nor where a month ends in it.
    const ages = fc.integer({ min: 0, max: 260 }).map((days) => days + 0.3);
    await fc.assert(
      fc.asyncProperty(
        fc.array(ages, { maxLength: 12 }),
        fc.array(fc.nat(3), { maxLength: 6 }),
        async (days, swaps) => {
          // Numbers follow times, but for some that were taken while another waited.
          const order = days.toSorted((a, b) => b - a);
          for (const at of swaps) {
            const [here, next] = [order[at], order[at + 1]];
            if (here !== undefined && next !== undefined) [order[at], order[at + 1]] = [next, here];
          }
          const lines = order.map((age, n) => ({ tx: BigInt(n + 3), days: age }));
          await (feed === 'endring' ? fill(lines) : fill([], { [feed]: lines }));
          await applyTwice();
          const { left, prunedUntil } = await state(feed);
          const last = lines.at(-1)?.tx;
          for (const line of lines) {
            const mustStay = line.days < DAYS || line.tx === last;
            if (mustStay) expect(line.tx).toBeGreaterThanOrEqual(prunedUntil);
            if (line.tx >= prunedUntil) expect(left).toContain(line.tx);
          }
          // Whole months, the oldest first, for as long as all their lines are before all that must stay.
          const firstKept = lines.find(({ days: age, tx }) => age < DAYS || tx === last)?.tx;
          const due = lines.filter(({ days: age }) => endOf(age) <= Date.now() - DAYS * DAY_MS);
          const free = due.filter(({ days: age }) =>
            lines.every((other) => endOf(other.days) > endOf(age) || (firstKept !== undefined && other.tx < firstKept)),
          );
          for (const { tx } of free) expect(left).not.toContain(tx);
          expect(left.length).toBe(lines.length - free.length);
        },
      ),
      { numRuns: 12 },
    );
  },
);

test('each feed begins where its own lines say: a quiet one is not cut by what others tell, and keeps its last line', async () => {
  const quiet = [
    { tx: 3n, days: 300 },
    { tx: 5n, days: 200 },
  ];
  await fill(
    [
      { tx: 4n, days: 250 },
      { tx: 8n, days: 1 },
    ],
    { virksomhet_endring: quiet },
  );
  await applyTwice();
  expect(await state()).toEqual({ left: [8n], prunedUntil: 5n });
  expect(await state('virksomhet_endring')).toEqual({ left: [5n], prunedUntil: 4n });
  await fill(quiet, {
    virksomhet_endring: [
      { tx: 4n, days: 250 },
      { tx: 8n, days: 1 },
    ],
  });
  await applyTwice();
  expect(await state()).toEqual({ left: [5n], prunedUntil: 4n });
  expect(await state('virksomhet_endring')).toEqual({ left: [8n], prunedUntil: 5n });
});

test('each table whose partitions go has a rule, and each feed a horizon', async () => {
  const tables = new Set((await readPartitions(setup.pool, { count: false })).map(({ table }) => table));
  expect([...tables].sort()).toEqual(RULES.map(({ table }) => table).sort());
  for (const { feed } of RULES) if (feed) expect((await state(feed.lines as Table)).prunedUntil).not.toBeNull();
});

test('nothing goes from a transaction on that is still open: it may write before what has been read', async () => {
  await older.query('begin');
  const { rows } = await older.query<{ tx: string }>('select pg_current_xact_id()::text as tx');
  const open = BigInt(rows[0]?.tx ?? 0);
  await fill([
    { tx: open + 1n, days: 200 },
    { tx: open + 2n, days: 1 },
  ]);
  const held = await applyRetention(setup.pool, RULES);
  expect(held.map(({ outcome }) => outcome)).toEqual(['HOLDES_IGJEN', 'HOLDES_IGJEN']);
  expect(await state()).toEqual({ left: [open + 1n, open + 2n], prunedUntil: 0n });
  await older.query('rollback');
});

test('whoever reads for long is gone round, and nobody else waits longer than a moment for it', async () => {
  await fill([
    { tx: 3n, days: 200 },
    { tx: 4n, days: 1 },
  ]);
  await older.query('begin; select count(*) from endring');
  await applyRetention(setup.pool, RULES, { pauseMs: 50 });
  await passMinute();
  const other = await setup.pool.connect();
  // What waits for longer fails: an attempt has 300 ms, and the next comes after a pause.
  await other.query(`set lock_timeout = '900ms'`);
  let isOver = false;
  const applied = applyRetention(setup.pool, RULES, { pauseMs: 500 }).finally(() => (isOver = true));
  // All of them come through while the reader stays, and write too.
  while (!isOver) {
    await other.query('select count(*) from endring');
    await other.query(`insert into endring (avtale_id, type) values (gen_random_uuid(), 'ENDRET')`);
  }
  other.release(true);
  expect((await applied).map(({ table, outcome }) => `${table} ${outcome}`)).toEqual([
    'avtale_endring GAAR',
    'endring OPPTATT',
  ]);
  // The horizon has come first: whoever reads from before it is told.
  expect((await state()).prunedUntil).toBe(4n);
  await older.query('commit');
  expect((await applyRetention(setup.pool, RULES)).map(({ outcome }) => outcome)).toEqual(['GAAR']);
  expect((await state()).left).not.toContain(3n);
});

test('a month goes a minute after the horizon, when no snapshot is older than that, and who waits is told of', async () => {
  await fill([
    { tx: 3n, days: 200 },
    { tx: 4n, days: 1 },
  ]);
  const job = new Retention(setup.pool, RULES);
  const overdue = async (): Promise<number | undefined> =>
    (await metrics.partitionOverdue.get()).values.find(({ labels }) => labels.tabell === 'endring')?.value;
  await job.round();
  expect(await state()).toEqual({ left: [3n, 4n], prunedUntil: 4n });
  expect(await overdue()).toBeGreaterThan(75 * 86_400);
  await passMinute();
  // An index that is made of another month, or an autovacuum there, is in nobody's way.
  const vacuum = setup.owner.createQueryRunner();
  await vacuum.startTransaction();
  await vacuum.query(`lock table only endring_${nameOf(0)} in share update exclusive mode`);
  await job.round();
  await vacuum.rollbackTransaction();
  await vacuum.release();
  expect(await state()).toEqual({ left: [4n], prunedUntil: 4n });
  expect(await overdue()).toBe(0);
});

test('killed while it drops, whenever: no line is gone that the horizon does not tell of, and the next goes on', async () => {
  for (const lockMs of [0, 200, 500]) {
    await fill([
      { tx: 3n, days: 230 },
      { tx: 4n, days: 200 },
      { tx: 5n, days: 1 },
    ]);
    // It waits for this one, so that it is killed in the middle.
    await older.query('begin; select count(*) from endring');
    const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
      env: { ...process.env, NODE_OPTIONS: '', LOGIN: JSON.stringify(login()) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, lockMs));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await older.query('commit');
    const { left, prunedUntil } = await state();
    for (const tx of [3n, 4n, 5n]) if (tx >= prunedUntil) expect(left).toContain(tx);
    await applyTwice();
    expect(await state()).toEqual({ left: [5n], prunedUntil: 5n });
  }
});

const SCRIPT = `
  import pg from 'pg';
  const { applyRetention } = await import(${JSON.stringify(join(import.meta.dirname, 'retention.ts'))});
  const db = new pg.Pool(JSON.parse(process.env.LOGIN));
  await db.query('select 1');
  console.log('begins');
  await applyRetention(db, ${JSON.stringify(RULES)});
  await db.query("update instans set beskaaret_tidspunkt = now() - interval '2 minutes'");
  await applyRetention(db, ${JSON.stringify(RULES)});`;

test('two ingestors at once make each month once, and drop each once', async () => {
  await fill([
    { tx: 3n, days: 200 },
    { tx: 4n, days: 150 },
    { tx: 5n, days: 1 },
  ]);
  await setup.owner.query('drop table endring_' + nameOf(1));
  const rounds = (): Promise<unknown> =>
    Promise.all([1, 2, 3].map(() => new Retention(setup.pool, RULES).round({ pauseMs: 20 }).catch(() => undefined)));
  await rounds();
  await passMinute();
  await rounds();
  await new Retention(setup.pool, RULES).round();
  expect((await state()).left).toEqual([5n]);
  const months = (await readPartitions(setup.pool, { count: true })).filter(({ table }) => table === 'endring');
  expect(months.map(({ month }) => month)).toEqual([
    ...new Set([nameOf(-0.03), nameOf(0), nameOf(1), nameOf(2)]),
    null,
  ]);
});

/** A month by how many from this one it is. */
function nameOf(months: number): string {
  const now = new Date(Date.now() + Math.min(0, months) * 30 * DAY_MS);
  const then = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + Math.max(0, Math.round(months)), 1));
  return then.toISOString().slice(0, 7).replace('-', '');
}

test('months are those of UTC, whatever the session thinks', async () => {
  await fill([]);
  await setup.owner.query('drop table endring_' + nameOf(1));
  await older.query(`set timezone to 'Europe/Oslo'`);
  await older.query('select lag_partisjoner()');
  await older.query('reset timezone');
  const made = (await readPartitions(setup.pool, { count: false })).find(({ month }) => month === nameOf(1));
  expect(made?.from?.toISOString()).toMatch(/-01T00:00:00\.000Z$/);
  const [month] = [made?.from?.toISOString().slice(0, 7)];
  for (const [moment, expected] of [
    [`${String(month)}-01 00:00:00+00`, nameOf(1)],
    // An hour or two into the month in Oslo.
    [`${String(month)}-01 00:59:59.999999+01`, nameOf(0)],
    [`${String(month)}-01 01:00:00+01`, nameOf(1)],
  ] as const) {
    const [row] = await setup.owner.query<{ place: string }[]>(
      `with inn as (insert into endring (tx, avtale_id, type, tidspunkt)
         values ('3', gen_random_uuid(), 'ENDRET', $1) returning tableoid::regclass::text as place) select * from inn`,
      [moment],
    );
    expect(row?.place).toBe(`endring_${expected}`);
  }
});

test('a clock that leaps takes nothing with it: neither of the two alone, and lines from any time find a place', async () => {
  await fill([
    { tx: 3n, days: 30 },
    { tx: 4n, days: 1 },
  ]);
  // This process believes that it is a year later; the other way round, the database does.
  await applyTwice({ now: new Date(Date.now() + 365 * DAY_MS) });
  expect((await state()).left).toEqual([3n, 4n]);
  await setup.owner.query(`insert into endring (tx, avtale_id, type, tidspunkt)
    values ('5', gen_random_uuid(), 'ENDRET', now() + interval '9 years'), ('6', gen_random_uuid(), 'ENDRET', now() - interval '9 years')`);
  const job = new Retention(setup.pool, RULES);
  await job.round();
  const partitions = (await readPartitions(setup.pool, { count: true })).filter(({ table }) => table === 'endring');
  expect(partitions.find(({ month }) => month === null)?.rows).toBe(0);
  // The line from long ago has a young transaction, so it stays for as long as those do.
  expect((await state()).left).toEqual([3n, 4n, 5n, 6n]);
});

test('a month that is missing is told early, and so are rows that fit none', async () => {
  await fill([]);
  const job = new Retention(setup.pool, RULES);
  const value = async (gauge: 'partitionsEndIn' | 'rowsAstray'): Promise<number | undefined> =>
    (await metrics[gauge].get()).values.find(({ labels }) => labels.tabell === 'endring')?.value;
  await job.round();
  expect(await value('partitionsEndIn')).toBeGreaterThan(27 * 86_400);
  expect(await value('rowsAstray')).toBe(0);
  // Somebody is in the way for so long that no partition can be made.
  await setup.owner.query('drop table endring_' + nameOf(1));
  await setup.owner.query(`insert into endring (tx, avtale_id, type, tidspunkt)
    values ('3', gen_random_uuid(), 'ENDRET', date_trunc('month', now() + interval '1 month', 'UTC'))`);
  await older.query('begin; select count(*) from endring');
  await expect(job.round()).rejects.toMatchObject({ code: '55P03' });
  expect(await value('partitionsEndIn')).toBeLessThan(31 * 86_400);
  expect(await value('rowsAstray')).toBe(1);
  await older.query('commit');
  await job.round();
  expect(await value('rowsAstray')).toBe(0);
  expect(await value('partitionsEndIn')).toBeGreaterThan(27 * 86_400);
});

test('the dry run says what would go, and changes nothing', async () => {
  await fill([
    { tx: 3n, days: 200 },
    { tx: 4n, days: 200 },
    { tx: 5n, days: 1 },
  ]);
  const before = await state();
  const { entries, horizons } = await planRetention(setup.pool, RULES);
  const due = entries.filter(({ isDue }) => isDue);
  expect(due.map(({ table, rows }) => `${table} ${String(rows)}`)).toEqual(['avtale_endring 2', 'endring 2']);
  expect([...horizons.values()]).toEqual([due[1]?.to]);
  expect(await state()).toEqual(before);
  await applyTwice();
  expect((await state()).left).toEqual([5n]);
});
