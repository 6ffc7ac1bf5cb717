import { expectedPhase, type ExpectedLife } from '@tiltak/simulator';
import { logger } from '@tiltak/platform';
import fc from 'fast-check';
import { deltakerId, startTestIngest, TOPIC, type TestIngest } from '../testing/test-ingest.ts';
import { publishFigures } from './statistics.job.ts';
import { isDue } from './statistics.queries.ts';

/** Everything that consumers can be told is in the view `statistikk_synlig`: what is tried here is tried on all of it. */
let setup: TestIngest;
beforeAll(async () => {
  logger.level = 'fatal';
  setup = await startTestIngest();
});
afterAll(() => setup.stop());
beforeEach(() => setup.owner.query('truncate avtale, statistikk, statistikk_tidspunkt, konsum_status'));

interface Planted {
  deltaker?: string | null;
  bedrift?: string | null;
  type?: string;
  start?: string | null;
  end?: string | null;
  status?: string;
  life?: ExpectedLife;
}

const ENTERED: ExpectedLife = { everEntered: true, neverBegan: false, fromArena: false };
let lastId = 0;

async function plant(avtaler: readonly Planted[]): Promise<void> {
  for (const { deltaker = null, bedrift = null, type = 'VARIG_LONNSTILSKUDD', life = ENTERED, ...more } of avtaler) {
    const { start = '2026-01-01', end = '2027-01-01', status = 'GJENNOMFØRES' } = more;
    await setup.owner.query(
      `insert into avtale (avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, start_dato, slutt_dato,
         har_vaert_inngaatt, avtale_inngaatt, aldri_begynt, fra_arena, feilregistrert, kilde_partisjon, kilde_offset, mottatt)
       values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, case when $7 then now() end, $8, $9, false, 0, $10, now() - interval '1 hour')`,
      [
        deltaker && deltakerId(deltaker),
        bedrift,
        type,
        status,
        start,
        end,
        life.everEntered,
        life.neverBegan,
        life.fromArena,
        lastId++,
      ],
    );
  }
}

const some = (count: number, avtale: Planted): Planted[] =>
  Array.from({ length: count }, () => ({ deltaker: `d${String(lastId++)}`, ...avtale }));

const NOON = new Date('2026-03-10T11:00:00Z');
const make = (now = NOON, months = 1): Promise<boolean> => publishFigures(setup.pool, { now, months });

interface Shown {
  inndeling: string;
  dag: string;
  verdier: (string | null)[];
  avtaler: number;
  deltakere: number | null;
}
const shown = (): Promise<Shown[]> =>
  setup.owner.query('select * from statistikk_synlig order by inndeling, dag, verdier');
const told = async (per: string, day = 'NAA'): Promise<[...(string | number | null)[]][]> =>
  (await shown())
    .filter(({ inndeling, dag }) => inndeling === per && dag === day)
    .map(({ verdier, avtaler, deltakere }) => [...verdier, avtaler, deltakere]);

test('how many participants are on VARIG_LONNSTILSKUDD now', async () => {
  await plant([
    ...some(12, {}),
    // One person's second, and those who are not there: to come, ended, and on something else.
    ...Array.from({ length: 6 }, () => ({ deltaker: 'en' })),
    { deltaker: 'en' },
    ...some(7, { start: '2026-05-01' }),
    ...some(6, { end: '2026-03-09' }),
    ...some(8, { type: 'MENTOR' }),
  ]);
  await make();
  expect(await told('TILTAKSTYPE,FASE')).toEqual([
    ['MENTOR', 'PAAGAAR', 8, 8],
    ['VARIG_LONNSTILSKUDD', 'AVSLUTTET', 6, 6],
    ['VARIG_LONNSTILSKUDD', 'PAAGAAR', 19, 13],
    ['VARIG_LONNSTILSKUDD', 'PLANLAGT', 7, 7],
  ]);
  // On the last day of the month before, nobody had ended.
  expect(await told('TILTAKSTYPE,FASE', '2026-02-28')).toContainEqual(['VARIG_LONNSTILSKUDD', 'PAAGAAR', 25, 19]);
});

test('what is told now is the size by the oracle, and that of a month is less than five from it', async () => {
  const types = ['MENTOR', 'SOMMERJOBB', 'VTAO'];
  const lives = fc.record({
    deltaker: fc.integer({ min: 1, max: 90 }).map(String),
    type: fc.constantFrom(...types),
    start: fc.constantFrom(null, '2026-01-15', '2026-02-20', '2026-03-10', '2026-03-20'),
    end: fc.constantFrom(null, '2026-02-27', '2026-02-28', '2026-03-09', '2026-03-10', '2026-12-31'),
    life: fc.record({ everEntered: fc.boolean(), neverBegan: fc.constant(false), fromArena: fc.boolean() }),
  });
  const planted = fc.sample(lives, { numRuns: 250, seed: 11 });
  await plant(planted);
  await make();
  const count = (type: string, fase: string, day: string): [number, number] => {
    const those = planted.filter(({ start, end, life, ...avtale }) => {
      const stored = {
        startDato: start,
        sluttDato: end,
        avtaleInngaatt: life.everEntered ? '2026-01-01T00:00:00Z' : null,
        annullertTidspunkt: null,
        avtaleStatus: 'GJENNOMFØRES',
      };
      return avtale.type === type && expectedPhase(stored, life, day).fase === fase;
    });
    return [those.length, new Set(those.map(({ deltaker }) => deltaker)).size];
  };
  for (const [day, date] of [
    ['NAA', '2026-03-10'],
    ['2026-02-28', '2026-02-28'],
  ] as const) {
    const figures = await told('TILTAKSTYPE,FASE', day);
    expect(figures.length).toBeGreaterThan(5);
    for (const [type, fase, avtaler, deltakere] of figures) {
      const [a, d] = count(String(type), String(fase), date);
      if (day === 'NAA') expect([type, fase, deltakere]).toEqual([type, fase, d]);
      expect(Math.abs(Number(deltakere) - d)).toBeLessThan(5);
      expect(Math.abs(Number(avtaler) - a)).toBeLessThan(5);
    }
  }
});

describe('attacks', () => {
  test('polling: whatever happens, nothing is told before the next figures', async () => {
    await plant(some(20, { bedrift: 'A' }));
    await make();
    const before = await shown();
    await plant(some(20, { bedrift: 'A' }));
    await setup.owner.query(`update avtale set slettet = 'GRAVSTEIN' where kilde_offset % 3 = 0`);
    expect(await shown()).toEqual(before);
  });

  test('before and after one avtale: the next figures are the same, whatever it is', async () => {
    await plant([...some(20, { bedrift: 'A' }), ...some(9, { bedrift: 'B', type: 'MENTOR' })]);
    await make();
    const before = await shown();
    for (const one of [
      { bedrift: 'A' },
      { bedrift: 'B' },
      { bedrift: 'C', type: 'SOMMERJOBB' },
      { bedrift: 'A', type: 'MENTOR', start: '2026-06-01' },
    ]) {
      await plant(some(1, one));
      await make(new Date('2026-03-11T11:00:00Z'));
      expect([one, await shown()]).toEqual([one, before]);
      await setup.owner.query('delete from avtale where kilde_offset = (select max(kilde_offset) from avtale)');
    }
  });

  test('employer and kind: one who is alone in a kind at an employer is not found from rows and columns', async () => {
    await plant([
      ...some(30, { bedrift: 'A' }),
      ...some(1, { bedrift: 'A', type: 'MENTOR' }),
      ...some(20, { bedrift: 'B' }),
      ...some(10, { bedrift: 'B', type: 'MENTOR' }),
      ...some(10, { bedrift: 'C', type: 'MENTOR' }),
      ...some(15, { bedrift: 'C' }),
    ]);
    await make();
    const cells = await told('TILTAKSTYPE,BEDRIFT', 'ALLE');
    const at = (type: string, bedrift: string): boolean => cells.some(([t, b]) => t === type && b === bedrift);
    expect([at('MENTOR', 'A'), at('VARIG_LONNSTILSKUDD', 'A')]).toEqual([false, false]);
    // Nor from the columns: in each where something is missing, another is missing too.
    for (const type of ['MENTOR', 'VARIG_LONNSTILSKUDD'])
      expect(['B', 'C'].filter((bedrift) => !at(type, bedrift)).length).toBeGreaterThan(0);
    expect((await told('BEDRIFT', 'ALLE')).length).toBe(3);
  });

  test('months: one who began between two of them does not show', async () => {
    await plant([...some(20, {}), ...some(1, { start: '2026-03-05' })]);
    await make();
    expect([await told('FASE'), await told('FASE', '2026-02-28')]).toEqual([
      [['PAAGAAR', 21, 21]],
      [['PAAGAAR', 21, 21]],
    ]);
  });

  test('participants against avtaler: that one of them has two does not show', async () => {
    await plant([...some(11, {}), { deltaker: 'to' }, { deltaker: 'to' }]);
    await make();
    const [[avtaler, deltakere] = []] = await told('', 'ALLE');
    expect(avtaler).toBe(deltakere);
  });

  test('one person with many avtaler is no group, however many', async () => {
    await plant([
      ...some(20, { bedrift: 'A' }),
      ...Array.from({ length: 9 }, () => ({ deltaker: 'en', bedrift: 'B' })),
    ]);
    await make();
    expect(await told('BEDRIFT', 'ALLE')).toEqual([]);
  });

  test('a phase selected, or all but it: the one that is left is hidden in both', async () => {
    await plant([
      ...some(20, { bedrift: 'A' }),
      ...some(2, { bedrift: 'A', start: '2026-06-01' }),
      ...some(20, { bedrift: 'B' }),
    ]);
    await make();
    expect((await told('BEDRIFT,FASE')).map(([bedrift]) => bedrift)).not.toContain('A');
  });
});

describe('the moment', () => {
  const fresh = (age: string): Promise<unknown> =>
    setup.owner.query(`insert into konsum_status values ($2, 0, 0, now() - $1::interval)`, [age, TOPIC]);
  const madeBefore = (age: string): Promise<unknown> =>
    setup.owner.query(`insert into statistikk_tidspunkt values (true, 1, now() - $1::interval)`, [age]);

  test.each<[string, () => Promise<unknown>, boolean]>([
    ['first figures wait for the first load', () => plant(some(1, {})), false],
    ['and for something to count', () => fresh('1 second'), false],
    ['and are then made', async () => (await plant(some(1, {})), fresh('1 second')), true],
    ['figures of the last day are replaced', async () => (await madeBefore('25 hours'), fresh('1 second')), true],
    ['not before all up to the moment is stored', async () => (await madeBefore('49 hours'), fresh('25 hours')), false],
    [
      'whatever a topic that was read before has come to',
      async () => {
        await setup.owner.query(`insert into konsum_status values ('an earlier one', 0, 0, now() - interval '9 days')`);
        await madeBefore('25 hours');
        return fresh('1 second');
      },
      true,
    ],
    ['and then only the next day', async () => (await madeBefore('0 seconds'), fresh('0 seconds')), false],
  ])('%s', async (_, prepare, expected) => {
    await prepare();
    expect(await isDue(setup.pool, TOPIC)).toBe(expected);
  });

  test('one ingestor at a time makes them, and what another left half done is gone', async () => {
    await plant(some(20, {}));
    await setup.owner.query(`insert into statistikk values (1, 'BEDRIFT', 'NAA', '{X}', 77, 77, true)`);
    const made = await Promise.all([make(), make()]);
    expect(made.filter(Boolean).length).toBeGreaterThanOrEqual(1);
    const figures = await shown();
    expect(figures).toContainEqual({ inndeling: '', dag: 'ALLE', verdier: [], avtaler: 20, deltakere: 20 });
    expect(figures.filter(({ avtaler }) => avtaler === 77)).toEqual([]);
    expect(await setup.owner.query('select tidspunkt from statistikk_tidspunkt')).toEqual([{ tidspunkt: NOON }]);
  });

  test('those that another ingestor made since they were found due are not made once more', async () => {
    await plant(some(20, {}));
    await fresh('0 seconds');
    const stillDue = (): Promise<boolean> => isDue(setup.pool, TOPIC);
    expect(await stillDue()).toBe(true);
    await publishFigures(setup.pool, { months: 1 });
    expect(await publishFigures(setup.pool, { months: 1, stillDue })).toBe(false);
    expect(await setup.owner.query('select generasjon from statistikk_tidspunkt')).toEqual([{ generasjon: '1' }]);
    // And it holds nobody up.
    expect(await make()).toBe(true);
  });
});
