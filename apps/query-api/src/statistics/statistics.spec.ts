import { startTestApi, type TestResponse, type TestApi } from '../testing/test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  await api.owner.query(`
    insert into avtale (avtale_id, tiltakstype, avtale_status, bedrift_nr, start_dato, feilregistrert, slettet, kilde_partisjon, kilde_offset)
    select gen_random_uuid(),
      case when n <= 10 then 'MENTOR' when n <= 16 then 'SOMMERJOBB' when n <= 19 then 'VTAO' when n <= 22 then 'NYTT' else 'NYERE' end,
      'GJENNOMFØRES', case when n <= 12 then '910825518' when n <= 18 then '' else null end,
      case when n <= 20 then date '2026-01-31' + n else null end, n = 30, case when n = 31 then 'GRAVSTEIN' end, 0, n
    from generate_series(1, 31) n`);
});
afterAll(() => api.stop());

const get = (per: string, as = 'alt'): Promise<TestResponse> =>
  api.call('GET', `/api/v1/statistikk?per=${per}`, { as });

test.each([
  [
    'TILTAKSTYPE',
    [
      { verdi: 'MENTOR', antall: 10 },
      { verdi: 'UKJENT', antall: 10 },
    ],
    9,
  ],
  ['STATUS', [{ verdi: 'GJENNOMFORES', antall: 29 }], 0],
  [
    'BEDRIFT',
    [
      { verdi: null, antall: 17 },
      { verdi: '910825518', antall: 12 },
    ],
    0,
  ],
  [
    'MAANED',
    [
      { verdi: '2026-02', antall: 20 },
      { verdi: null, antall: 9 },
    ],
    0,
  ],
])('per %s: what may be seen, the largest first, and the rest together', async (per, cells, others) => {
  expect((await get(per)).body).toEqual({ per, celler: cells, ovrige: others });
});

test.each(['', 'FYLKE', 'STATUS&per=BEDRIFT'])('per=%s is refused', async (per) => {
  const { status, body } = await get(per);
  expect([status, body.feil]).toEqual([
    400,
    [{ felt: 'per', melding: 'must be one of TILTAKSTYPE, STATUS, BEDRIFT, MAANED' }],
  ]);
});

test('the grant must have what is counted by', async () => {
  expect((await get('TILTAKSTYPE', 'faa-felter')).status).toBe(200);
  const { status, body } = await get('BEDRIFT', 'faa-felter');
  expect([status, body.detail]).toEqual([
    403,
    expect.stringContaining('not granted for behandlingsgrunnlag B0: bedriftNr'),
  ]);
});
