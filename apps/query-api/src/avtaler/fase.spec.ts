import { countedDays, decisionOn, FASER, isAnnulledUnderway, phaseOn, type PhaseFacts } from '@tiltak/avtale';
import { expectedPhase, type ExpectedLife } from '@tiltak/simulator';
import fc from 'fast-check';
import { startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';

/** One rule in three tongues: the pure one, the one that Postgres searches by, and the oracle's. */
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());
beforeEach(() => api.owner.query('truncate avtale, avtale_versjon'));

interface Stored {
  startDato: string | null;
  sluttDato: string | null;
  avtaleInngaatt: string | null;
  annullertTidspunkt: string | null;
  avtaleStatus: string | null;
  life: ExpectedLife;
}

const date = (n: number): string => new Date(Date.UTC(2026, 2, 20 + n)).toISOString().slice(0, 10);
/** Around the day on which Oslo goes over to summer time; the hours are those in which UTC has another date. */
const instant = (n: number, hour: number): string => new Date(Date.UTC(2026, 2, 20 + n, hour, 59)).toISOString();

const avtaler: fc.Arbitrary<Stored> = fc
  .record({
    startDato: fc.option(fc.integer({ min: 0, max: 20 }).map(date)),
    sluttDato: fc.option(fc.integer({ min: 0, max: 20 }).map(date)),
    avtaleInngaatt: fc.constantFrom(null, '2026-01-01T00:00:00.000000Z'),
    annullertTidspunkt: fc.option(
      fc
        .tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom(0, 12, 21, 22, 23))
        .map(([n, hour]) => instant(n, hour)),
    ),
    avtaleStatus: fc.constantFrom(null, 'GJENNOMFØRES', 'ANNULLERT', 'AVBRUTT', 'PÅ_VENT'),
    everEntered: fc.boolean(),
    neverBegan: fc.boolean(),
    fromArena: fc.boolean(),
  })
  .map(({ everEntered, neverBegan, fromArena, ...avtale }) => ({
    ...avtale,
    life: { everEntered: everEntered || avtale.avtaleInngaatt !== null, neverBegan, fromArena },
  }));

const osloDay = (moment: string): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' }).format(Date.parse(moment));

function factsOf({ life, ...avtale }: Stored): PhaseFacts {
  return {
    ...life,
    startDato: avtale.startDato,
    sluttDato: avtale.sluttDato,
    entered: avtale.avtaleInngaatt !== null,
    annulled: avtale.annullertTidspunkt !== null || /^(ANNULLERT|AVBRUTT)$/.test(avtale.avtaleStatus ?? ''),
    annulledDay: avtale.annullertTidspunkt && osloDay(avtale.annullertTidspunkt),
  };
}

test('the rule is the decision table, for any avtale and day', () => {
  fc.assert(
    fc.property(avtaler, fc.integer({ min: -2, max: 22 }).map(date), (stored, day) => {
      const facts = factsOf(stored);
      const expected = expectedPhase(stored, stored.life, day);
      expect([phaseOn(day, facts), isAnnulledUnderway(facts)]).toEqual([expected.fase, expected.annullertUnderveis]);
    }),
    { numRuns: 2_000 },
  );
});

test('an avtale goes from planned by way of under way to ended, and the days that count are those', () => {
  const ORDER = ['UTKAST', 'PLANLAGT', 'PAAGAAR', 'IKKE_INNGAATT_PAA_NYTT', 'AVSLUTTET', 'ANNULLERT'];
  fc.assert(
    fc.property(avtaler, (stored) => {
      const facts = factsOf(stored);
      const days = Array.from({ length: 30 }, (_, n) => date(n - 4));
      const phases = days.map((day) => phaseOn(day, facts));
      // A draft that was never entered into is one again when its dates have passed.
      const steps = phases.map((phase) => ORDER.indexOf(phase));
      if (facts.everEntered) expect(steps).toEqual(steps.toSorted((a, b) => a - b));
      const counted = countedDays(facts);
      const expected = phases.map((phase) => phase === 'PAAGAAR' || phase === 'IKKE_INNGAATT_PAA_NYTT');
      expect(days.map((day) => !!counted && counted.first <= day && day <= (counted.last ?? '~'))).toEqual(expected);
      // What documents say of being on a measure is what is answered.
      const answer = counted?.uncertain === null ? 'JA' : 'UAVKLART';
      expect(days.map((day) => decisionOn(day, facts).paaTiltak)).toEqual(
        expected.map((counts) => (counts ? answer : 'NEI')),
      );
      const certain = phases.includes('PAAGAAR') && !isAnnulledUnderway(facts);
      if (expected.includes(true)) expect(counted?.uncertain === null).toBe(certain);
    }),
    { numRuns: 1_000 },
  );
});

describe('planted lives', () => {
  const planted = fc.sample(avtaler, { numRuns: 300, seed: 7 });
  const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  beforeEach(async () => {
    for (const [n, stored] of planted.entries()) await api.insertAvtale(rowOf(id(n), stored));
    await api.owner.query(`
      insert into avtale_versjon (avtale_id, start_dato, slutt_dato, avtale_inngaatt, annullert_tidspunkt, avtale_status,
        har_vaert_inngaatt, aldri_begynt, fra_arena, feilregistrert, sist_endret, kilde_partisjon, kilde_offset, avtrykk, laert)
      select avtale_id, start_dato, slutt_dato, avtale_inngaatt, annullert_tidspunkt, avtale_status,
        har_vaert_inngaatt, aldri_begynt, fra_arena, false, sist_endret, 0, 0, gen_random_uuid(), '2026-03-30T22:30:00Z'
      from avtale`);
  });

  test.each(['sok', 'utdrag'])('%s finds each in its phase of the day, and tells it', async (operation) => {
    for (const [when, day] of [
      [{ faseDato: date(8) }, date(8)],
      [{ faseDato: date(9), gjeldendePer: '2026-04-20T00:00:00Z' }, date(9)],
      // The day in Oslo of that moment.
      [{ gjeldendePer: '2026-03-30T22:30:00Z' }, '2026-03-31'],
      [{}, osloDay(new Date().toISOString())],
    ] as const) {
      for (const fase of FASER) {
        const fields = operation === 'utdrag' ? { felter: ['avtaleId', 'fase'] } : {};
        const { status, body } = await api.call('POST', `/api/v1/avtaler/${operation}`, {
          body: { ...when, ...fields, faser: [fase], antall: 1_000 },
        });
        expect(status).toBe(200);
        const found = (body.avtaler as { avtaleId: string; fase: string; annullertUnderveis?: true }[]).map(
          ({ avtaleId, fase, annullertUnderveis }) => ({
            avtaleId,
            fase,
            annullertUnderveis: annullertUnderveis ?? false,
          }),
        );
        const expected = planted.map((stored, n) => ({ avtaleId: id(n), ...expectedPhase(stored, stored.life, day) }));
        expect(found).toEqual(expected.filter((avtale) => avtale.fase === fase));
      }
    }
  });

  test('every form in which an avtale is told has it, and none without the grant', async () => {
    const today = osloDay(new Date().toISOString());
    const stored = planted[0];
    if (!stored) throw new Error('There is one');
    const now = expectedPhase(stored, stored.life, today).fase;
    const learned = expectedPhase(stored, stored.life, '2026-03-31').fase;
    for (const as of ['alt', 'uten-fase']) {
      const get = async (path: string): Promise<TestResponse['body']> =>
        (await api.call('GET', `/api/v1/${path}`, { as })).body;
      const exported = await api.call('GET', '/api/v1/eksport', { as });
      const line =
        String(exported.body)
          .split('\n')
          .find((text) => text.includes(id(0))) ?? '{}';
      const phases = [
        (await get(`avtaler/${id(0)}`)).fase,
        (JSON.parse(line) as { fase?: string }).fase,
        (await get(`avtaler/${id(0)}/versjoner`)).versjoner[0].avtale.fase,
      ];
      expect(phases).toEqual(as === 'alt' ? [now, now, learned] : [undefined, undefined, undefined]);
    }
    const graphql = await api.call('POST', '/graphql', {
      body: { query: `{ avtale(avtaleId: "${id(0)}") { fase } }` },
    });
    expect(graphql.body.data.avtale.fase).toBe(now);
  });

  test('the avtaler of an employer and of a participant can be asked for by phase', async () => {
    await api.owner.query(`update avtale set bedrift_nr = 'gammel 1/2', deltaker_id = '${id(1)}'`);
    const day = date(8);
    const expected = planted.flatMap((stored, n) =>
      ['PAAGAAR', 'PLANLAGT'].includes(expectedPhase(stored, stored.life, day).fase) ? [id(n)] : [],
    );
    for (const path of [`bedrifter/${encodeURIComponent('gammel 1/2')}`, `deltakere/${id(1)}`]) {
      const { body } = await api.call(
        'GET',
        `/api/v1/${path}/avtaler?faser=PAAGAAR,PLANLAGT&faseDato=${day}&antall=1000`,
      );
      expect(body.avtaler.map(({ avtaleId }: { avtaleId: string }) => avtaleId)).toEqual(expected);
    }
  });
});

function rowOf(avtaleId: string, { life, ...stored }: Stored): Record<string, unknown> & { avtale_id: string } {
  return {
    avtale_id: avtaleId,
    start_dato: stored.startDato,
    slutt_dato: stored.sluttDato,
    avtale_inngaatt: stored.avtaleInngaatt,
    annullert_tidspunkt: stored.annullertTidspunkt,
    avtale_status: stored.avtaleStatus,
    har_vaert_inngaatt: life.everEntered,
    aldri_begynt: life.neverBegan,
    fra_arena: life.fromArena,
  };
}
