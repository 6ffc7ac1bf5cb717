import { startTestApi, type TestResponse, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
/** Oslo's 1 February: the last day of January is the month before. */
const MOMENT = '2026-02-01T04:00:01.123456Z';

interface Row {
  per: string;
  day: string;
  values: (string | null)[];
  avtaler: number;
  deltakere: number | null;
  visible?: boolean;
}

const row = (per: string, day: string, values: (string | null)[], avtaler: number, deltakere: number | null): Row => ({
  per,
  day,
  values,
  avtaler,
  deltakere,
});

/** As the ingestor decides them. */
const FIGURES: Row[] = [
  row('', 'ALLE', [], 60, 50),
  row('TILTAKSTYPE', 'ALLE', ['MENTOR'], 30, 25),
  row('TILTAKSTYPE', 'ALLE', ['VTAO'], 21, 21),
  { ...row('TILTAKSTYPE', 'ALLE', ['SOMMERJOBB'], 7, null), visible: false },
  row('BEDRIFT', 'ALLE', ['910825518'], 34, 30),
  row('BEDRIFT', 'ALLE', [null], 24, 20),
  row('TILTAKSTYPE,BEDRIFT', 'ALLE', ['MENTOR', '910825518'], 12, 12),
  row('FASE', 'NAA', ['PAAGAAR'], 31, 29),
  row('FASE', 'NAA', ['PLANLAGT'], 11, 11),
  row('TILTAKSTYPE,FASE', 'NAA', ['MENTOR', 'PAAGAAR'], 20, 15),
  row('TILTAKSTYPE,FASE', 'NAA', ['MENTOR', 'PLANLAGT'], 6, 6),
  row('TILTAKSTYPE,FASE', 'NAA', ['VTAO', 'PLANLAGT'], 5, null),
  row('TILTAKSTYPE,BEDRIFT,FASE', 'NAA', ['MENTOR', '910825518', 'PAAGAAR'], 8, 8),
  row('FASE', '2026-01-31', ['PAAGAAR'], 26, 24),
  row('TILTAKSTYPE,FASE', '2026-01-31', ['MENTOR', 'PAAGAAR'], 14, 10),
];

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());

async function insertFigures(): Promise<void> {
  for (const { per, day, values, avtaler, deltakere, visible = true } of FIGURES)
    await api.owner.query('insert into statistikk values (2, $1, $2, $3, $4, $5, $6)', [
      per,
      day,
      values,
      avtaler,
      deltakere,
      visible,
    ]);
  // Of a round that is not ready.
  await api.owner.query(`insert into statistikk values (3, 'TILTAKSTYPE', 'ALLE', '{MENTOR}', 99, 99, true)`);
  await api.owner.query('insert into statistikk_tidspunkt (generasjon, tidspunkt) values (2, $1)', [MOMENT]);
}

const get = (query: string, as = 'alt'): Promise<TestResponse> =>
  api.call('GET', `/api/v1/statistikk?${query}`, { as });

test('before there are figures, nothing is told, not even their moment', async () => {
  const { status, body } = await get('per=TILTAKSTYPE&faser=PAAGAAR');
  expect([status, body]).toEqual([200, { per: 'TILTAKSTYPE', enhet: 'AVTALER', celler: [], ovrige: null }]);
});

describe('with figures', () => {
  beforeAll(insertFigures);
  const cell = (value: string | null, count: number): unknown => ({ verdi: value, antall: count });
  const pair = (value: string, second: string, count: number): unknown => ({
    verdi: value,
    verdi2: second,
    antall: count,
  });

  test.each<[string, string, object]>([
    [
      'one dimension, the rest together',
      'per=TILTAKSTYPE',
      { celler: [cell('MENTOR', 30), cell('VTAO', 21)], ovrige: 9 },
    ],
    ['a rest too small to be told', 'per=BEDRIFT', { celler: [cell('910825518', 34), cell(null, 24)], ovrige: 0 }],
    [
      'participants',
      'per=TILTAKSTYPE&enhet=DELTAKERE',
      { celler: [cell('MENTOR', 25), cell('VTAO', 21)], ovrige: null },
    ],
    [
      'two dimensions, in the order asked',
      'per=BEDRIFT,TILTAKSTYPE',
      { per2: 'TILTAKSTYPE', celler: [pair('910825518', 'MENTOR', 12)], ovrige: 48 },
    ],
    ['by phase', 'per=FASE', { dato: '2026-02-01', celler: [cell('PAAGAAR', 31), cell('PLANLAGT', 11)], ovrige: 18 }],
    [
      'those who are there now',
      'per=TILTAKSTYPE&faser=PAAGAAR&enhet=DELTAKERE',
      { dato: '2026-02-01', celler: [cell('MENTOR', 15)], ovrige: null },
    ],
    [
      'several phases',
      'per=TILTAKSTYPE&faser=PAAGAAR,PLANLAGT',
      { dato: '2026-02-01', celler: [cell('MENTOR', 26), cell('VTAO', 5)], ovrige: 11 },
    ],
    [
      'participants of several phases, by phase',
      'per=FASE&per=TILTAKSTYPE&faser=PAAGAAR,PLANLAGT&enhet=DELTAKERE',
      { per2: 'TILTAKSTYPE', celler: [pair('PAAGAAR', 'MENTOR', 15), pair('PLANLAGT', 'MENTOR', 6)] },
    ],
    [
      'two dimensions in a phase',
      'per=TILTAKSTYPE&per=BEDRIFT&faser=PAAGAAR',
      { celler: [pair('MENTOR', '910825518', 8)], ovrige: 23 },
    ],
    [
      'the last day of a month',
      'per=TILTAKSTYPE&faser=PAAGAAR&dato=2026-01-31',
      { dato: '2026-01-31', celler: [cell('MENTOR', 14)], ovrige: 12 },
    ],
  ])('%s', async (_, query, expected) => {
    const { status, body } = await get(query);
    expect([status, body]).toMatchObject([200, { tidspunkt: MOMENT, ...expected }]);
  });

  test('a series has the months up to the day, the latest last', async () => {
    const { body } = await get('per=TILTAKSTYPE&faser=PAAGAAR&serie=MAANED&maaneder=3');
    expect(body.serie).toEqual([
      { dato: '2025-12-31', celler: [], ovrige: null },
      { dato: '2026-01-31', celler: [cell('MENTOR', 14)], ovrige: 12 },
      { dato: '2026-02-01', celler: [cell('MENTOR', 20)], ovrige: 11 },
    ]);
    expect(body.celler).toEqual([cell('MENTOR', 20)]);
    const until = await get('per=TILTAKSTYPE&faser=PAAGAAR&serie=MAANED&dato=2026-01-31&maaneder=36');
    expect([until.body.serie.length, until.body.serie.at(-1).dato]).toEqual([36, '2026-01-31']);
  });

  describe('below a unit', () => {
    const PARENT = '910712217';
    beforeAll(async () => {
      const insert = `insert into virksomhet (organisasjonsnummer, overordnet_enhet, hovedenhet, sist_endret, kilde_epoke, kilde_partisjon, kilde_offset)
        values ($1, $2, $3, now(), 0, 0, 0)`;
      await api.owner.query(insert, [PARENT, null, null]);
      await api.owner.query(insert, ['910825518', PARENT, PARENT]);
      await api.owner.query(insert, ['981234567', null, null]);
    });

    test.each<[string, string, object]>([
      ['its establishments, and no total', 'per=BEDRIFT', { celler: [cell('910825518', 34)], ovrige: null }],
      ['by kind', 'per=TILTAKSTYPE,BEDRIFT', { celler: [pair('MENTOR', '910825518', 12)], ovrige: null }],
      ['in a phase', 'per=BEDRIFT,TILTAKSTYPE&faser=PAAGAAR', { celler: [pair('910825518', 'MENTOR', 8)] }],
      ['participants', 'per=BEDRIFT&enhet=DELTAKERE', { celler: [cell('910825518', 30)], ovrige: null }],
    ])('%s', async (_, query, expected) => {
      const { status, body } = await get(`${query}&hovedenhet=${PARENT}`);
      expect([status, body]).toMatchObject([200, { tidspunkt: MOMENT, ...expected }]);
      const itself = await get(`${query}&hovedenhet=910825518`);
      expect(itself.body).toEqual(body);
    });

    test('of a unit without any that is told of there is nothing, and it is a field of the grant', async () => {
      expect((await get('per=BEDRIFT&hovedenhet=981234567')).body).toMatchObject({ celler: [], ovrige: null });
      const { status, body } = await get(`per=BEDRIFT&hovedenhet=${PARENT}`, 'uten-person');
      expect([status, body.detail]).toEqual([403, expect.stringContaining(': hovedenhet')]);
    });
  });

  test.each([
    ['per=', 'per'],
    ['per=TILTAKSTYPE&hovedenhet=910712217', 'hovedenhet'],
    ['per=BEDRIFT&hovedenhet=1', 'hovedenhet'],
    ['per=FYLKE', 'per'],
    ['per=STATUS,STATUS', 'per'],
    ['per=STATUS,FASE,TILTAKSTYPE', 'per'],
    ['per=BEDRIFT,MAANED', 'per'],
    ['per=STATUS&enhet=TIMER', 'enhet'],
    ['per=STATUS&faser=DOD', 'faser'],
    ['per=STATUS&faser=PAAGAAR,PLANLAGT&enhet=DELTAKERE', 'faser'],
    ['per=STATUS&dato=2026-01-31', 'dato'],
    ['per=FASE&dato=2026-01-30', 'dato'],
    ['per=FASE&dato=2022-12-31', 'dato'],
    ['per=STATUS&serie=MAANED', 'serie'],
    ['per=FASE&serie=MAANED&maaneder=37', 'maaneder'],
  ])('%s is refused, and %s is named', async (query, name) => {
    const { status, body } = await get(query);
    expect([status, body.feil[0]?.felt]).toEqual([400, name]);
  });

  test('what it must have is said to be missing, and not to be of another form', async () => {
    expect((await get('faser=PAAGAAR')).body.feil).toEqual([{ felt: 'per', melding: 'is missing' }]);
  });

  test('the grant must have what is counted by, and the phase that is selected by', async () => {
    expect((await get('per=TILTAKSTYPE', 'faa-felter')).status).toBe(200);
    for (const [query, field] of [
      ['per=BEDRIFT', 'bedriftNr'],
      ['per=TILTAKSTYPE,STATUS', 'avtaleStatus'],
      ['per=FASE', 'fase'],
      ['per=TILTAKSTYPE&faser=PAAGAAR', 'fase'],
    ] as const) {
      const { status, body } = await get(query, 'faa-felter');
      expect([status, body.detail]).toEqual([
        403,
        expect.stringContaining(`not granted for behandlingsgrunnlag B0: ${field}`),
      ]);
    }
  });

  test('all that was read stands in the audit', async () => {
    await api.forgetAudit();
    await get('per=TILTAKSTYPE&faser=PAAGAAR&serie=MAANED');
    const rows = await api.audit(1);
    expect(rows).toMatchObject([{ felter: ['tiltakstype', 'fase'], antall_treff: 2, personer: [] }]);
  });
});

test('the reader can not see what figures are held back, nor those of a round that is not ready', async () => {
  const { rows } = await api.owner
    .query<{ kan: boolean }[]>(`select has_table_privilege('datadeling_leser', 'statistikk', 'select') as kan`)
    .then((rows) => ({ rows }));
  expect(rows).toEqual([{ kan: false }]);
});
