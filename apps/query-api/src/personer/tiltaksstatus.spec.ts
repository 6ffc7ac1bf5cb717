import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectedPhase, type ExpectedLife } from '@tiltak/simulator';
import fc from 'fast-check';
import { startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';
import { readCoverage } from '../coverage/coverage.ts';

/** What is answered of persons, against an oracle that counts day by day. */
let api: TestApi;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dekning-'));
  const file = join(directory, 'dekning.yaml');
  writeFileSync(
    file,
    `- { tiltakstype: MENTOR, masterFra: '2026-01-01', tilstand: FULLT }\n- { tiltakstype: VTAO, masterFra: null, tilstand: IKKE }\n`,
  );
  api = await startTestApi({ DEKNING_FIL: file });
  await api.setFreshness(new Date());
});
afterAll(async () => {
  await api.stop();
  rmSync(directory, { recursive: true });
});
beforeEach(() => api.owner.query('truncate avtale'));

const KARI = '1'.repeat(11);
const KARIS_OLD = '2'.repeat(11);
let next = 0;
const avtale = async (fields: Record<string, unknown> = {}): Promise<string> => {
  const id = `00000000-0000-4000-8000-${String(++next).padStart(12, '0')}`;
  await api.insertAvtale({
    avtale_id: id,
    deltaker_fnr: KARI,
    tiltakstype: 'ARBEIDSTRENING',
    avtale_status: 'GJENNOMFØRES',
    avtale_inngaatt: '2025-08-01T00:00:00Z',
    bedrift_nr: '910825518',
    ...fields,
  });
  return id;
};
const ask = async (body: object, as = 'alt'): Promise<TestResponse> =>
  api.call('POST', '/api/v1/personer/tiltaksstatus', { as, body });
const askKari = async (body: object = {}): Promise<TestResponse['body']> =>
  (await ask({ personidenter: [KARI], ...body })).body.personer[0];

describe('the persons that were answered wrongly', () => {
  test('annulled under way: perhaps until the day before, and not from the day of the annulment', async () => {
    await avtale({ start_dato: '2025-09-01', slutt_dato: '2026-02-28', annullert_tidspunkt: '2025-11-20T10:00:00Z' });
    expect(await askKari({ dato: '2025-10-15' })).toMatchObject({
      paaTiltak: false,
      svar: 'UAVKLART',
      grunner: ['ANNULLERT_UNDERVEIS'],
      antall: 0,
      tiltak: [],
      uavklarte: [{ fase: 'PAAGAAR', annullertUnderveis: true, sisteDag: '2025-11-19', grunn: 'ANNULLERT_UNDERVEIS' }],
      varighet: [],
    });
    expect(await askKari({ dato: '2025-11-19' })).toMatchObject({ svar: 'UAVKLART' });
    expect(await askKari({ dato: '2025-11-20' })).toMatchObject({ svar: 'NEI', grunner: [], uavklarte: [] });
  });

  test('a mentor from Arena whose approvals are being renewed', async () => {
    const dates = { start_dato: '2026-01-01', slutt_dato: '2026-12-31' };
    await avtale({ ...dates, tiltakstype: 'MENTOR', opphav: 'ARENA', avtale_inngaatt: null });
    expect(await askKari({ dato: '2026-03-01' })).toMatchObject({
      svar: 'UAVKLART',
      uavklarte: [{ fase: 'IKKE_INNGAATT_PAA_NYTT', annullertUnderveis: false, grunn: 'IKKE_INNGAATT_PAA_NYTT' }],
    });
  });

  test('the first hours of the first day, while the status still waits for the night', async () => {
    await avtale({ start_dato: '2026-03-01', slutt_dato: '2026-03-31', avtale_status: 'KLAR_FOR_OPPSTART' });
    const { tiltak } = await askKari({ dato: '2026-03-01' });
    expect(tiltak).toMatchObject([{ fase: 'PAAGAAR', avtaleStatus: 'KLAR_FOR_OPPSTART' }]);
  });

  test('two back to back: for how long is of both', async () => {
    await avtale({ start_dato: '2025-01-01', slutt_dato: '2025-06-30' });
    await avtale({ start_dato: '2025-07-01', slutt_dato: '2026-01-31' });
    await avtale({ start_dato: '2026-02-10', slutt_dato: null, tiltakstype: 'VTAO' });
    const { varighet } = await askKari({ dato: '2025-07-02' });
    expect(varighet).toEqual([
      {
        tiltakstype: 'ARBEIDSTRENING',
        fra: '2025-01-01',
        dagerHittil: 183,
        dagerPlanlagt: 396,
        antallOpphold: 0,
        dagerOpphold: 0,
      },
      {
        tiltakstype: 'VTAO',
        fra: '2026-02-10',
        dagerHittil: 0,
        dagerPlanlagt: null,
        antallOpphold: 0,
        dagerOpphold: 0,
      },
    ]);
  });

  test('one person with two idents: one answer, in the order asked, and links across', async () => {
    const days = { start_dato: '2026-01-01', slutt_dato: '2026-06-30' };
    const [old, present] = [
      await avtale({ ...days, deltaker_fnr: KARIS_OLD }),
      await avtale({ ...days, tiltakstype: 'MENTOR' }),
    ];
    const { status, body } = await ask({
      personer: [
        { referanse: 'ingen', personidenter: ['9'.repeat(11)] },
        { referanse: 'sak-1', personidenter: [KARIS_OLD, KARI] },
      ],
      dato: '2026-02-01',
      felter: ['_links'],
    });
    expect(status).toBe(200);
    expect(body.personer).toMatchObject([
      { referanse: 'ingen', svar: 'NEI' },
      { referanse: 'sak-1', personident: KARIS_OLD, antall: 2 },
    ]);
    const href = (id: string): { href: string } => ({ href: `/api/v1/avtaler/${id}` });
    const links = new Map<string, unknown>(body.personer[1].tiltak.map(({ _links: l }: any) => [l.self.href, l])); // eslint-disable-line @typescript-eslint/no-explicit-any -- as a client gets it
    expect(links.get(href(old).href)).toMatchObject({ samtidige: [href(present)], mentor: [href(present)] });
    expect(links.get(href(present).href)).toMatchObject({ mentorFor: [href(old)] });
  });

  test('only the kinds asked for, and what nobody found is worth', async () => {
    await avtale({ start_dato: '2026-01-01', slutt_dato: null, tiltakstype: 'INKLUDERINGSTILSKUDD' });
    const { body } = await ask({ personidenter: [KARI], dato: '2026-02-01', tiltakstyper: ['MENTOR'] });
    expect(body).toMatchObject({
      personer: [{ svar: 'NEI', varighet: [] }],
      dekning: [{ tiltakstype: 'MENTOR', masterFra: '2026-01-01', tilstand: 'FULLT' }],
    });
    expect((await ask({ personidenter: [KARI] })).body.dekning).toHaveLength(2);
    expect((await api.call('GET', '/api/v1/dekning')).body.dekning).toHaveLength(2);
    // Of a purpose that is held to some kinds, of these only.
    const held = await api.call('POST', '/api/v1/personer/tiltaksstatus', {
      as: 'bare-mentor',
      body: { personidenter: [KARI] },
    });
    expect(held.body.dekning.map(({ tiltakstype }: { tiltakstype: string }) => tiltakstype)).toEqual(['MENTOR']);
  });
});

test('more of each measure under the grant, and not without it', async () => {
  await avtale({ start_dato: '2026-01-01', slutt_dato: null, stillingprosent: 60 });
  const { tiltak } = await askKari({ dato: '2026-02-01', felter: ['stillingprosent', 'bedriftNr'] });
  expect(tiltak).toMatchObject([{ stillingprosent: 60, bedriftNr: '910825518', fase: 'PAAGAAR' }]);
  for (const field of ['stillingprosent', 'fase', '_links']) {
    expect((await ask({ personidenter: [KARI], felter: [field] }, 'smal')).status).toBe(403);
  }
  const narrow = await ask({ personidenter: [KARI], dato: '2026-02-01' }, 'smal');
  expect(narrow.body.personer).toMatchObject([{ svar: 'JA' }]);
  expect(Object.keys(narrow.body.personer[0].tiltak[0]).sort()).toEqual([
    'avtaleStatus',
    'sisteDag',
    'sluttDato',
    'startDato',
    'tiltakstype',
  ]);
});

test.each([
  ['personidenter', {}],
  ['personer', { personidenter: [KARI], personer: [{ personidenter: [KARI] }] }],
  ['periode', { personidenter: [KARI], dato: '2026-01-01', periode: {} }],
  ['periode.til', { personidenter: [KARI], periode: { fra: '2026-01-02', til: '2026-01-01' } }],
  ['personer', { personer: [] }],
  ['personer[0].personidenter', { personer: [{ personidenter: Array<string>(21).fill(KARI) }] }],
  ['personer', { personer: Array(300).fill({ personidenter: Array<string>(20).fill(KARI) }) }],
  ['felter', { personidenter: [KARI], felter: ['feilregistrert'] }],
])('what is wrong is named: %s', async (field, body) => {
  const response = await ask(body);
  expect(response.status).toBe(400);
  expect(response.body.feil.map(({ felt }: { felt: string }) => felt)).toContain(field);
});

const DAYS = 30;
const date = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
const lives = fc.array(
  fc.record({
    startDato: fc.option(fc.nat(DAYS).map(date)),
    sluttDato: fc.option(fc.nat(DAYS).map(date)),
    avtaleInngaatt: fc.constantFrom(null, '2025-12-01T00:00:00Z', '2025-12-01T00:00:00Z'),
    annullertTidspunkt: fc.option(
      fc.nat(DAYS).map((n) => `${date(n)}T12:00:00Z`),
      { freq: 2 },
    ),
    tiltakstype: fc.constantFrom('MENTOR', 'VTAO'),
    ident: fc.constantFrom(KARI, KARIS_OLD),
    life: fc.record({ everEntered: fc.boolean(), neverBegan: fc.boolean(), fromArena: fc.boolean() }),
  }),
  { maxLength: 5 },
);

test('any lives, period and kinds: as counted day by day', async () => {
  await fc.assert(
    fc.asyncProperty(
      lives,
      fc.nat(DAYS),
      fc.nat(DAYS),
      fc.constantFrom<string[] | undefined>(undefined, ['MENTOR']),
      async (avtaler, a, b, kinds) => {
        await api.owner.query('truncate avtale');
        for (const { ident, life, ...stored } of avtaler) {
          await avtale({
            deltaker_fnr: ident,
            start_dato: stored.startDato,
            slutt_dato: stored.sluttDato,
            avtale_inngaatt: stored.avtaleInngaatt,
            annullert_tidspunkt: stored.annullertTidspunkt,
            tiltakstype: stored.tiltakstype,
            har_vaert_inngaatt: life.everEntered,
            aldri_begynt: life.neverBegan,
            fra_arena: life.fromArena,
          });
        }
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const { body } = await ask({
          personer: [{ personidenter: [KARI, KARIS_OLD] }],
          periode: { fra: date(from), til: date(to) },
          ...(kinds ? { tiltakstyper: kinds } : {}),
        });
        const asked = avtaler.filter(({ tiltakstype }) => kinds?.includes(tiltakstype) ?? true);
        const answer = body.personer[0];
        expect({ svar: answer.svar, dager: answer.dager, antall: answer.antall }).toEqual(countByDay(asked, from, to));
        for (const { tiltakstype, dagerHittil, dagerPlanlagt } of answer.varighet) {
          const certain = certainDays(asked.filter((one) => one.tiltakstype === tiltakstype));
          expect(dagerHittil).toBe(certain.filter((n) => n <= to).length);
          if (dagerPlanlagt !== null) expect(dagerPlanlagt).toBe(certain.length);
        }
      },
    ),
    { numRuns: 60 },
  );
});

interface Life {
  startDato: string | null;
  sluttDato: string | null;
  avtaleInngaatt: string | null;
  annullertTidspunkt: string | null;
  life: ExpectedLife;
}

function on(one: Life, n: number): 'certain' | 'uncertain' | undefined {
  const life = { ...one.life, everEntered: one.life.everEntered || one.avtaleInngaatt !== null };
  const { fase, annullertUnderveis } = expectedPhase({ ...one, avtaleStatus: 'GJENNOMFØRES' }, life, date(n));
  if (fase === 'PAAGAAR') return annullertUnderveis ? 'uncertain' : 'certain';
  return fase === 'IKKE_INNGAATT_PAA_NYTT' ? 'uncertain' : undefined;
}

function certainDays(avtaler: Life[]): number[] {
  return Array.from({ length: DAYS + 2 }, (_, n) => n).filter((n) => avtaler.some((one) => on(one, n) === 'certain'));
}

function countByDay(avtaler: Life[], from: number, to: number): { svar: string; dager: number; antall: number } {
  const days = Array.from({ length: to - from + 1 }, (_, n) => from + n);
  const any = (kind: string): boolean => days.some((n) => avtaler.some((one) => on(one, n) === kind));
  return {
    svar: any('certain') ? 'JA' : any('uncertain') ? 'UAVKLART' : 'NEI',
    dager: days.filter((n) => avtaler.some((one) => on(one, n) === 'certain')).length,
    antall: avtaler.filter((one) => days.some((n) => on(one, n) === 'certain')).length,
  };
}

test.each([
  ['- { tiltakstype: KURS, masterFra: null, tilstand: FULLT }', /0\.tiltakstype/],
  ["- { tiltakstype: VTAO, masterFra: '2026-02-31', tilstand: FULLT }", /0\.masterFra must be a date/],
  ['- { tiltakstype: VTAO, masterFra: null, tilstand: FULLT }\n'.repeat(2), /VTAO stands twice/],
  ['{', /dekning\.yaml: /],
])('a file of coverage that is wrong is refused: %s', (text, message) => {
  const file = join(directory, 'dekning.yaml');
  writeFileSync(file, text);
  expect(() => readCoverage(file)).toThrow(message);
});
