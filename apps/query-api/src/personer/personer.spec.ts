import fc from 'fast-check';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const KARI = '1'.repeat(11);
const unknown = '9'.repeat(11);
let next = 0;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());
beforeEach(() => api.owner.query('truncate avtale'));

/** An avtale that is entered into and under way, unless told otherwise. */
const tiltak = (fields: Record<string, unknown> = {}): Promise<void> =>
  api.insertAvtale({
    avtale_id: `00000000-0000-4000-8000-${String(++next).padStart(12, '0')}`,
    deltaker_fnr: KARI,
    tiltakstype: 'ARBEIDSTRENING',
    avtale_status: 'GJENNOMFØRES',
    avtale_inngaatt: '2025-12-01T00:00:00Z',
    start_dato: '2026-01-01',
    slutt_dato: '2026-01-31',
    ...fields,
  });

interface Status {
  paaTiltak: boolean;
  antall: number;
  fra: string | null;
  til: string | null;
  antallDager: number | null;
  tiltak: unknown[];
}

async function status(date = '2026-01-15', personidenter = [KARI]): Promise<Status[]> {
  const response = await api.call('POST', '/api/v1/personer/tiltaksstatus', {
    as: 'smal',
    body: { personidenter, dato: date },
  });
  expect([response.status, response.body.dato]).toEqual([200, date]);
  return response.body.personer;
}

test('on one measure', async () => {
  await tiltak();
  expect(await status()).toMatchObject([
    {
      personident: KARI,
      paaTiltak: true,
      antall: 1,
      fra: '2026-01-01',
      til: '2026-01-31',
      antallDager: 31,
      tiltak: [
        {
          tiltakstype: 'ARBEIDSTRENING',
          avtaleStatus: 'GJENNOMFORES',
          startDato: '2026-01-01',
          sluttDato: '2026-01-31',
        },
      ],
    },
  ]);
});

test('an answer for each ident in the order asked, also for one that is unknown or asked for twice', async () => {
  await tiltak();
  const response = await status('2026-01-15', [unknown, KARI, unknown]);
  expect(response).toMatchObject([
    { personident: unknown, paaTiltak: false, antall: 0, fra: null, til: null, antallDager: 0, tiltak: [] },
    { personident: KARI, paaTiltak: true },
    { personident: unknown },
  ]);
});

test.each([
  ['the first day', '2026-01-01', true],
  ['the last day', '2026-01-31', true],
  ['the day before', '2025-12-31', false],
  ['the day after', '2026-02-01', false],
])('%s', async (_, date, paaTiltak) => {
  await tiltak();
  expect(await status(date)).toMatchObject([{ paaTiltak }]);
});

test.each([
  ['not entered into', { avtale_inngaatt: null }, false],
  ['annulled', { annullert_tidspunkt: '2026-01-10T00:00:00Z' }, false],
  ['annulled, by its status alone', { avtale_status: 'ANNULLERT' }, false],
  ['aborted', { avtale_status: 'AVBRUTT' }, false],
  ['wrongly registered', { feilregistrert: true }, false],
  ['deleted', { slettet: 'SLETTEMERKET' }, false],
  ['without start', { start_dato: null }, false],
  ['ended since, by its status', { avtale_status: 'AVSLUTTET' }, true],
  ['not begun, by a status that has aged', { avtale_status: 'KLAR_FOR_OPPSTART' }, true],
  ['with a status unknown today', { avtale_status: 'PÅ_VENT' }, true],
])('%s', async (_, fields, paaTiltak) => {
  await tiltak(fields);
  expect(await status()).toMatchObject([{ paaTiltak }]);
});

test('without an end it goes on', async () => {
  await tiltak({ slutt_dato: null });
  await tiltak();
  expect(await status('2026-01-15')).toMatchObject([{ antall: 2, til: null, antallDager: null }]);
  expect(await status('2040-01-15')).toMatchObject([{ antall: 1, fra: '2026-01-01', til: null }]);
});

test('several measures: the days from the first to the last', async () => {
  const days = fc.integer({ min: 0, max: 40 });
  const date = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(days, days), { maxLength: 5 }), days, async (periods, on) => {
      await api.owner.query('truncate avtale');
      for (const [start, duration] of periods)
        await tiltak({ start_dato: date(start), slutt_dato: date(start + duration) });
      const hits = periods.filter(([start, duration]) => start <= on && on <= start + duration);
      const from = Math.min(...hits.map(([start]) => start));
      const to = Math.max(...hits.map(([start, duration]) => start + duration));
      expect(await status(date(on))).toMatchObject([
        hits.length === 0
          ? { paaTiltak: false, antall: 0, fra: null, antallDager: 0 }
          : { paaTiltak: true, antall: hits.length, fra: date(from), til: date(to), antallDager: to - from + 1 },
      ]);
    }),
    { numRuns: 25 },
  );
});

test('a thousand persons in one call', async () => {
  await tiltak();
  const many = Array.from({ length: 1_000 }, (_, n) => (n === 500 ? KARI : String(20_000_000_000 + n)));
  const response = await status('2026-01-15', many);
  expect(response.map(({ paaTiltak }, n) => (paaTiltak ? n : -1)).filter((n) => n >= 0)).toEqual([500]);
});

test('today when no date is given', async () => {
  await tiltak({ start_dato: '2020-01-01', slutt_dato: null });
  const response = await api.call('POST', '/api/v1/personer/tiltaksstatus', { body: { personidenter: [KARI] } });
  expect(response.body).toMatchObject({
    dato: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    personer: [{ paaTiltak: true }],
  });
});

test('a member that is null is as good as none', async () => {
  await tiltak({ start_dato: '2020-01-01', slutt_dato: null });
  const none = { dato: null, gjeldendePer: null, tiltakstyper: null, felter: null, personer: null };
  const { body } = await api.call('POST', '/api/v1/personer/tiltaksstatus', { body: { personidenter: [KARI] } });
  const ask = (more: object): Promise<{ status: number; body: unknown }> =>
    api.call('POST', '/api/v1/personer/tiltaksstatus', { body: { personidenter: [KARI], ...more } });
  expect(await ask({ ...none, periode: null })).toMatchObject({ status: 200, body });
  expect(await ask({ ...none, periode: { fra: null, til: '2026-01-31' } })).toMatchObject({
    status: 200,
    body: { periode: { til: '2026-01-31' }, personer: [{ svar: 'JA' }] },
  });
});

test.each([[[]], [[{ fra: '2026-01-01' }]]])('%j is no period', async (periode) => {
  const response = await api.call('POST', '/api/v1/personer/tiltaksstatus', {
    body: { personidenter: [KARI], periode },
  });
  expect([response.status, response.body.feil]).toEqual([400, [{ felt: 'periode', melding: 'must be an object' }]]);
});
