import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolClient } from 'pg';
import { virksomheter } from '../resources/virksomheter/virksomheter.ts';
import { batch, message, PARTITION, startTestIngest, TOPIC, type TestIngest } from '../testing/test-ingest.ts';
import { ResourceWriter } from './resource-writer.ts';
import { ConcurrentChangeError } from './try-again.ts';

/** All that write what topics tell of try again by one rule, whatever stands in their way. */
let setup: TestIngest;
let resources: ResourceWriter;
beforeAll(async () => {
  setup = await startTestIngest();
  resources = new ResourceWriter(setup.pool, virksomheter);
  // Counts the attempts, also of what is undone.
  await setup.owner.query(
    `create sequence forsoek; grant usage on sequence forsoek to public;
     create table feil (kode text, skranke text, antall int); grant select on feil to public;
     create function feil_i_veien() returns trigger language plpgsql as $$ declare f feil; begin
       select * into f from feil;
       if found and nextval('forsoek') <= f.antall then
         raise exception using errcode = f.kode, constraint = f.skranke;
       end if;
       return new;
     end $$;
     create trigger feil_i_veien before update on konsum_offset for each row execute function feil_i_veien()`,
  );
});
afterAll(() => setup.stop());
beforeEach(async () => {
  await setup.empty();
  await setup.owner.query('truncate feil; alter sequence forsoek restart');
});

type Disturb = (db: PoolClient) => Promise<void>;
const place = { topic: TOPIC, epoch: 0, partition: PARTITION };
const nothing = (): Promise<void> => Promise.resolve();

/** Each operation of a writer that begins a transaction, disturbed in the middle of it. */
const OPERATIONS: Record<string, (disturb: Disturb) => Promise<unknown>> = {
  'Writer.write': (disturb) =>
    setup.writer.write({
      ...place,
      select: (db) => Promise.resolve({ messages: [message(0, {})], record: () => disturb(db) }),
    }),
  'Writer.tell': (disturb) => setup.writer.tell(TOPIC, [], (db) => disturb(db).then(() => new Map()), nothing),
  'PersonWriter.write': (disturb) =>
    setup.personWriter.write({
      ...place,
      select: (db) => Promise.resolve({ messages: [], record: () => disturb(db) }),
    }),
  'PersonWriter.readAgain': (disturb) =>
    setup.personWriter.readAgain({
      ...place,
      select: (db) => Promise.resolve({ messages: [], record: () => disturb(db) }),
    }),
  'PersonWriter.set': (disturb) =>
    setup.personWriter.set(TOPIC, (db) => disturb(db).then(() => new Map<string, string[]>()), nothing),
  'ResourceWriter.write': (disturb) =>
    resources.write({
      ...place,
      select: (db) => Promise.resolve({ messages: [], record: () => disturb(db), undo: true }),
    }),
  'ResourceWriter.write, and repair': (disturb) =>
    resources.write({
      ...place,
      repair: true,
      select: (db) => Promise.resolve({ messages: [], record: () => disturb(db) }),
    }),
  'ResourceWriter.remove': (disturb) =>
    resources.remove([], (db) => disturb(db).then(() => new Set<string>()), nothing),
  'ResourceWriter.tell': (disturb) => resources.tell([], (db) => disturb(db).then(() => new Map()), nothing),
};

interface InTheWay {
  code: string;
  constraint: string;
}
const PASSING: InTheWay[] = [
  { code: '40001', constraint: '' },
  { code: '40P01', constraint: '' },
  { code: '23505', constraint: 'avtale_pkey' },
  { code: '23505', constraint: 'relasjon_pkey' },
  { code: '23503', constraint: 'registernoekkel_siden_parkert_fkey' },
];
const raise = ({ code, constraint }: InTheWay): string =>
  `do $$ begin raise exception using errcode = '${code}', constraint = '${constraint}'; end $$`;

/** @returns how often it was begun */
async function begun(
  operation: string,
  times: number,
  inTheWay: (db: PoolClient) => Promise<unknown>,
): Promise<number> {
  let count = 0;
  await OPERATIONS[operation]?.(async (db) => {
    if (++count <= times) await inTheWay(db);
  });
  return count;
}

describe.each(Object.keys(OPERATIONS))('%s', (operation) => {
  test('is begun again while another is in its way, and comes to its end', async () => {
    for (const error of PASSING) {
      expect([error, await begun(operation, 2, (db) => db.query(raise(error)))]).toEqual([error, 3]);
    }
    const changed = (): Promise<never> => Promise.reject(new ConcurrentChangeError());
    expect(await begun(operation, 4, changed)).toBe(5);
  });

  test('gives up when others are first time after time, and at once where waiting does not help', async () => {
    await expect(begun(operation, 5, (db) => db.query(raise({ code: '40P01', constraint: '' })))).rejects.toMatchObject(
      {
        code: '40P01',
      },
    );
    await expect(begun(operation, 1, (db) => db.query(raise({ code: '42501', constraint: '' })))).rejects.toMatchObject(
      {
        code: '42501',
      },
    );
  });
});

test.each(PASSING)(
  'a group that $code $constraint is in the way of is stored, batch by batch, by the same rule',
  async (error) => {
    // Of the group, and then of the batch.
    await setup.owner.query('insert into feil values ($1, $2, 3)', [error.code, error.constraint]);
    expect(await setup.groupWriter.write([batch([message(0, {})])])).toEqual([1]);
    expect(await setup.owner.query(`select nextval('forsoek')::int as n`)).toEqual([{ n: 5 }]);
  },
);

test('no other part of what writes begins a transaction by itself', () => {
  const folder = import.meta.dirname;
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  const begins = files.filter((name) =>
    /\binTransaction\(|\.connect\(\)/.test(readFileSync(join(folder, name), 'utf8')),
  );
  // What fails of a group goes the way of the others.
  expect(begins).toEqual(['group-writer.ts', 'try-again.ts']);
});
