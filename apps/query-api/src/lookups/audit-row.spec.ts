import { randomUUID } from 'node:crypto';
import { createDataSource, migrate } from '@tiltak/database';
import { createTestDatabase, waitUntil, type TestDatabase } from '@tiltak/testing';
import fc from 'fast-check';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { AuditForms, type AuditForm } from './audit-forms.ts';
import { insertRows, type AuditRow } from './audit-row.ts';

let database: TestDatabase;
let owner: DataSource;
/** Two processes. */
let pools: pg.Pool[];

beforeAll(async () => {
  database = await createTestDatabase();
  const { host, port, database: name, migrering, queryApi } = database;
  const limits = { statementTimeoutMs: 60_000, connectTimeoutMs: 5_000 };
  const options = { sslmode: 'disable', poolSize: 2, applicationName: 'spec', ...limits } as const;
  owner = await createDataSource({ ...database, ...migrering, ...options }).initialize();
  await migrate(owner);
  const { username: user, password } = queryApi;
  pools = [1, 2].map(() => new pg.Pool({ host, port, database: name, user, password, max: 3 }));
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await owner.destroy();
  await database.remove();
});
beforeEach(() => owner.query('truncate oppslagslinje, oppslagsform'));

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const anyForm: fc.Arbitrary<AuditForm> = fc.record({
  konsument: oneOf('a', 'b', 'a b'),
  behandlingsgrunnlag: oneOf('B0', 'B1'),
  operasjon: oneOf('sokAvtaler', 'hentUtdrag'),
  felter: fc.subarray(['avtaleId', 'b', 'c', 'b c']),
});
const uuid = fc.uuid();
const anyRow: fc.Arbitrary<Omit<AuditRow, 'form'>> = fc.record(
  {
    konsument: oneOf('a', 'b'),
    behandlingsgrunnlag: oneOf(null, 'B0'),
    operasjon: oneOf('sokAvtaler', 'hentUtdrag'),
    felter: fc.subarray(['avtaleId', 'b', 'c']),
    personer: fc.uniqueArray(uuid, { maxLength: 3 }),
    antall_treff: oneOf(null, 0, 7),
    tillatt: fc.boolean(),
    call_id: fc.oneof(uuid, oneOf('kall-1', 'F'.repeat(32), '00000000-0000-4000-8000-00000000000A')),
    posisjon: oneOf(undefined, 'her'),
    utvalg: oneOf(undefined, { alle: true }),
    avslag: oneOf(undefined, 'ikke-tilgang'),
    antall_kall: oneOf(undefined, 3),
    organisasjoner: oneOf(undefined, ['310100005'], ['310100005', '310101370']),
  },
  {
    requiredKeys: [
      ...(['konsument', 'behandlingsgrunnlag', 'operasjon', 'felter', 'personer', 'antall_treff', 'tillatt'] as const),
      'call_id',
    ],
  },
);

test('what is written is what oppslag tells, with the number of a form and without', async () => {
  const [pool] = pools as [pg.Pool];
  const forms = new AuditForms(pool);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(anyRow, fc.boolean()), { minLength: 1, maxLength: 8 }), async (given) => {
      await owner.query('truncate oppslagslinje');
      const rows = await Promise.all(
        given.map(async ([row, numbered]) => ({ ...row, form: numbered ? await forms.numberOf(row) : undefined })),
      );
      await insertRows(pool, rows);
      const missing = { posisjon: null, utvalg: null, avslag: null, antall_kall: 1, organisasjoner: null };
      const told = await owner.query<object[]>('select * from oppslag order by tidspunkt, id');
      expect(told).toEqual(
        given.map(([row]) => {
          const set = Object.entries(row).filter(([, value]) => value !== undefined);
          const own = { id: expect.any(String) as string, tidspunkt: expect.any(Date) as Date };
          return { ...own, ...missing, ...Object.fromEntries(set) };
        }),
      );
    }),
    { numRuns: 30 },
  );
});

test('whoever asks at the same time, a number stands for the form that it was given for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(anyForm, fc.nat(1)), { minLength: 2, maxLength: 20 }), async (asked) => {
      await owner.query('truncate oppslagsform');
      const processes = pools.map((pool) => new AuditForms(pool));
      const numbers = await Promise.all(asked.map(([form, process]) => processes[process]?.numberOf(form)));
      const stored = await owner.query<(AuditForm & { nr: string })[]>('select * from oppslagsform');
      const byNumber = new Map(stored.map(({ nr, ...form }) => [Number(nr), form]));
      expect(numbers.map((nr) => byNumber.get(nr ?? 0))).toEqual(asked.map(([form]) => form));
      // Known by now, so without a round trip.
      expect(asked.map(([form, process]) => processes[process]?.numberOf(form))).toEqual(numbers);
    }),
    { numRuns: 20 },
  );
});

test('one consumer that chooses other fields each time fills nothing, and its rows tell all the same', async () => {
  const [pool] = pools as [pg.Pool];
  const forms = new AuditForms(pool);
  const form = (n: number, konsument = 'ivrig'): AuditForm => {
    return { konsument, behandlingsgrunnlag: 'B0', operasjon: 'hentUtdrag', felter: [`felt${String(n)}`] };
  };
  const asked = Array.from({ length: 210 }, (_, n) => form(n));
  const numbers: (number | undefined)[] = [];
  for (const each of asked) numbers.push(await forms.numberOf(each));
  expect(numbers.map((nr) => nr !== undefined)).toEqual(asked.map((_, n) => n < 200));
  expect(forms.numberOf(form(0))).toBe(numbers[0]);
  expect(forms.numberOf(form(1_000))).toBeUndefined();
  expect(await forms.numberOf(form(0, 'en-annen'))).toBeGreaterThan(0);
  const rest = { personer: [], antall_treff: 0, tillatt: true };
  await insertRows(
    pool,
    asked.map((each, n) => ({ ...each, ...rest, form: numbers[n], call_id: randomUUID() })),
  );
  const told = await owner.query<{ felter: string[] }[]>('select felter from oppslag order by tidspunkt, id');
  expect(told.map(({ felter }) => felter)).toEqual(asked.map(({ felter }) => felter));
});

test('a form that a failover has lost is told again, by the same number', async () => {
  const [pool] = pools as [pg.Pool];
  const forms = new AuditForms(pool, 0);
  const form = { konsument: 'a', behandlingsgrunnlag: 'B0', operasjon: 'sokAvtaler', felter: ['avtaleId'] };
  const nr = await forms.numberOf(form);
  await owner.query('truncate oppslagsform');
  await waitUntil(
    async () => {
      expect(forms.numberOf(form)).toBe(nr);
      return (await owner.query<unknown[]>('select from oppslagsform where nr = $1', [nr])).length === 1;
    },
    { what: 'the form to be there again' },
  );
});

test('a form that a failover has lost, and that there is no room for any more, is named no more', async () => {
  const [pool] = pools as [pg.Pool];
  const forms = new AuditForms(pool, 0);
  const form = { konsument: 'full', behandlingsgrunnlag: 'B0', operasjon: 'sokAvtaler', felter: ['avtaleId'] };
  expect(await forms.numberOf(form)).toEqual(expect.any(Number));
  await owner.query(`truncate oppslagsform;
    insert into oppslagsform select n, 'full', 'B0', 'sokAvtaler', array[n::text] from generate_series(1, 200) n`);
  await waitUntil(() => Promise.resolve(forms.numberOf(form) === undefined), { what: 'the form to be named no more' });
  await owner.query('truncate oppslagsform');
});

test('a line says what it is of, by a form or itself', async () => {
  const [pool] = pools as [pg.Pool];
  const insert = `insert into oppslagslinje (tillatt, call_id, konsument, operasjon) values (true, 'k', 'a', 'sokAvtaler')`;
  await expect(pool.query(insert)).rejects.toMatchObject({ constraint: 'oppslagslinje_form_check' });
});
