import { batch, deltakerId, ID, message, startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { backfillNext } from './backfill.job.ts';
import { checkRelations, type Deviation, type CheckResult } from './check.ts';

const COUNT = 12;
const id = (n: number): string => ID.slice(0, -2) + String(10 + n);
const fnr = (n: number): string => String(n % 4);

let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());
/** Four participants with three avtaler each, which follow each other and go on. */
beforeEach(async () => {
  await setup.empty();
  await setup.owner.query('update instans set relasjoner_bygget_til = null');
  const messages = Array.from({ length: COUNT }, (_, n) =>
    message(n, {
      avtaleId: id(n),
      deltakerFnr: fnr(n),
      bedriftNr: '910825518',
      tiltakstype: 'VTAO',
      startDato: `2026-01-${String(10 + n)}`,
    }),
  );
  await setup.ingest(batch(messages));
  await setup.owner.query('truncate endring');
});

const relations = async (): Promise<unknown> => (await setup.dump()).relasjon;
const told = async (): Promise<string[]> => {
  const rows = await setup.owner.query<{ avtale_id: string }[]>('select avtale_id from endring');
  return rows.map((row) => row.avtale_id).sort();
};

describe('the check', () => {
  const check = async (repair: boolean): Promise<CheckResult & { deviation: Deviation[] }> => {
    const deviation: Deviation[] = [];
    // Less than all at a time.
    const response = await checkRelations(setup.pool, { repair, report: (a) => deviation.push(a), antall: 2 });
    return { ...response, deviation };
  };

  test('finds nothing in what the ingestor keeps', async () => {
    expect(await check(false)).toEqual({ deltakere: 4, mangler: 0, overfloedige: 0, rettet: false, deviation: [] });
  });

  test('finds exactly what was planted, puts it right when asked, and tells of it in the feed', async () => {
    const repair = await relations();
    const unknown = deltakerId('ukjent');
    const rel = (deltaker: string, from: number, relation: string, to: number): StoredAsText => ({
      deltakerId: deltaker,
      fra: id(from),
      relasjon: relation,
      til: id(to),
    });
    const away = rel(deltakerId(fnr(0)), 0, 'neste', 4);
    const fake = [rel(deltakerId(fnr(1)), 1, 'mentor', 5), rel(unknown, 2, 'samtidige', 3)];
    await setup.owner.query('delete from relasjon where fra = $1 and relasjon = $2', [away.fra, away.relasjon]);
    for (const { deltakerId: d, fra: from, relasjon: relation, til: to } of fake) {
      await setup.owner.query('insert into relasjon values ($1, $2, $3, $4)', [d, from, relation, to]);
    }
    const expected = [
      { avvik: 'MANGLER', ...away },
      ...fake.map((relation) => ({ avvik: 'OVERFLOEDIG', ...relation })),
    ];
    const found = await check(false);
    expect(found).toMatchObject({ deltakere: 5, mangler: 1, overfloedige: 2, rettet: false });
    expect(new Set(found.deviation)).toEqual(new Set(expected));
    expect(await told()).toEqual([]);

    expect(new Set((await check(true)).deviation)).toEqual(new Set(expected));
    expect(await relations()).toEqual(repair);
    expect(await told()).toEqual([id(0), id(1), id(2)]);
    expect(await check(true)).toMatchObject({ deltakere: 4, mangler: 0, overfloedige: 0, deviation: [] });
  });
});

interface StoredAsText {
  deltakerId: string;
  fra: string;
  relasjon: string;
  til: string;
}

test('avtaler from before there were relations get theirs, bit by bit, once', async () => {
  const repair = await relations();
  expect(repair).toHaveLength(4 * 10);
  await setup.owner.query('truncate relasjon');
  expect(await backfillNext(setup.pool, 3)).toBe(false);
  expect(await relations()).toHaveLength(3 * 10);
  // The process ends here, and two others go on.
  let done = [false];
  while (!done.every(Boolean)) done = await Promise.all([backfillNext(setup.pool, 1), backfillNext(setup.pool, 1)]);
  expect(await relations()).toEqual(repair);
  expect(await told()).toEqual(Array.from({ length: COUNT }, (_, n) => id(n)));

  await setup.owner.query('truncate relasjon');
  expect(await backfillNext(setup.pool)).toBe(true);
  expect(await relations()).toEqual([]);
});
