import { startTestDrift, type Svar, type TestDrift } from '../testing/test-drift.ts';
import { ADAPTER, KONTRAKT } from '../testing/test-adapter.ts';

let drift: TestDrift;

beforeAll(async () => {
  drift = await startTestDrift();
});
afterAll(() => drift.stopp());
beforeEach(() => drift.eier.query('truncate adapter'));

const send = (
  metode: string,
  sti: string,
  body?: unknown,
  claims: Record<string, unknown> | null = ADAPTER,
): Promise<Svar> => drift.kall(metode, `/adapter/v1/${sti}`, body, claims);
const SIDE = { metadata: { synkId: 's', side: 1, antallSider: 1, antallTotalt: 0 }, ressurser: [] };

const RUTER = [
  ['PUT', 'kontrakt', KONTRAKT],
  ['POST', 'hjerteslag', undefined],
  ['GET', 'status', undefined],
  ['POST', 'avtaler/synk', SIDE],
  ['PATCH', 'avtaler/synk', SIDE],
  ['DELETE', 'avtaler/synk', SIDE],
  ['GET', 'synk/s', undefined],
  ['POST', 'synk/s/bekreft', undefined],
] as const;

test.each(RUTER)(
  '%s %s is for the adapter of this organisation, and the client of the contract',
  async (metode, sti, body) => {
    expect((await send(metode, sti, body, null)).status).toBe(401);
    expect((await send(metode, sti, body, { ...ADAPTER, organisasjon: 'demo-fylke' })).status).toBe(403);
    expect((await send(metode, sti, body, { roles: ['drift'] })).status).toBe(403);
    if (sti !== 'kontrakt') expect((await send(metode, sti, body)).status).toBe(409);
    await send('PUT', 'kontrakt', KONTRAKT, { ...ADAPTER, azp: 'en-annen' });
    expect((await send(metode, sti, body)).status).toBe(403);
  },
);

test.each([
  ['adapterId', ''],
  ['heartbeatIntervallMinutter', 0],
  ['fullSynkIntervallDager', 8],
  ['deltaSynk', 'AV_OG_TIL'],
  ['ressurser', ['personer']],
  ['ressurser', []],
  ['ukjent', 1],
])('a contract with %s %j is refused', async (felt, verdi) => {
  expect(await send('PUT', 'kontrakt', { ...KONTRAKT, [felt]: verdi })).toMatchObject({
    status: 400,
    body: { feil: [{ felt }] },
  });
});

test('a contract can be replaced, and heartbeats are held against it', async () => {
  await send('PUT', 'kontrakt', KONTRAKT);
  expect(await send('PUT', 'kontrakt', { ...KONTRAKT, heartbeatIntervallMinutter: 10 })).toMatchObject({ status: 200 });
  expect((await send('POST', 'hjerteslag')).body).toMatchObject({ tilstand: 'OK' });
  const etter = async (minutter: number): Promise<unknown> => {
    await drift.eier.query('update adapter set hjerteslag = now() - make_interval(mins => $1)', [minutter]);
    return (await send('GET', 'status')).body.hjerteslag.tilstand;
  };
  expect(await etter(9)).toBe('OK');
  expect(await etter(11)).toBe('FORSINKET');
  expect(await etter(21)).toBe('STANSET');
  expect((await send('GET', 'status')).body).toMatchObject({
    kontrakt: { ...KONTRAKT, heartbeatIntervallMinutter: 10 },
    sisteFullSynk: null,
    fullSynkForfalt: false,
  });
  await drift.eier.query(`update adapter set opprettet = now() - interval '8 days'`);
  expect((await send('GET', 'status')).body.fullSynkForfalt).toBe(true);
});

test('Kafka away is 503, and nothing is accepted', async () => {
  await send('PUT', 'kontrakt', KONTRAKT);
  expect(await send('POST', 'avtaler/synk', SIDE)).toMatchObject({ status: 503 });
  expect(await drift.eier.query('select from synk')).toEqual([]);
});
