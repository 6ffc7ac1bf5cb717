import { request } from 'node:http';
import { LOCKS, statusBeforeBody, waitUntil } from '@tiltak/testing';
import { startTestIngestor, type TestResponse, type TestIngestor } from '../testing/test-ingestor.ts';
import { ADAPTER, CONTRACT } from '../testing/test-adapter.ts';
import { setHeartbeat } from './contract.queries.ts';

let ingestor: TestIngestor;

beforeAll(async () => {
  ingestor = await startTestIngestor();
});
afterAll(() => ingestor.stop());
beforeEach(() => ingestor.owner.query('truncate adapter'));

const send = (
  method: string,
  path: string,
  body?: unknown,
  claims: Record<string, unknown> | null = ADAPTER,
): Promise<TestResponse> => ingestor.call(method, `/adapter/v1/${path}`, body, claims);
const PAGE = { metadata: { synkId: 's', side: 1, antallSider: 1, antallTotalt: 0 }, ressurser: [] };

const ROUTES = [
  ['PUT', 'kontrakt', CONTRACT],
  ['POST', 'hjerteslag', undefined],
  ['GET', 'status', undefined],
  ['POST', 'avtaler/synk', PAGE],
  ['PATCH', 'avtaler/synk', PAGE],
  ['DELETE', 'avtaler/synk', PAGE],
  ['GET', 'synk/s', undefined],
  ['POST', 'synk/s/bekreft', undefined],
] as const;

test.each(ROUTES)(
  '%s %s is for the adapter of this organisation, and the client of the contract',
  async (method, path, body) => {
    expect((await send(method, path, body, null)).status).toBe(401);
    expect((await send(method, path, body, { ...ADAPTER, organisasjon: 'demo-fylke' })).status).toBe(403);
    expect((await send(method, path, body, { roles: ['drift'] })).status).toBe(403);
    if (path !== 'kontrakt') expect((await send(method, path, body)).status).toBe(409);
    await send('PUT', 'kontrakt', CONTRACT, { ...ADAPTER, azp: 'en-annen' });
    expect((await send(method, path, body)).status).toBe(403);
  },
);

test('a heartbeat that comes when the contract has passed to another client is not the other’s', async () => {
  await send('PUT', 'kontrakt', CONTRACT, { ...ADAPTER, azp: 'en-annen' });
  const beats = (): Promise<unknown> => ingestor.owner.query('select hjerteslag is not null as beats from adapter');
  await setHeartbeat(ingestor.pool, 'vaktklient');
  expect(await beats()).toEqual([{ beats: false }]);
  await setHeartbeat(ingestor.pool, 'en-annen');
  expect(await beats()).toEqual([{ beats: true }]);
});

test.each(ROUTES.filter(([method, path]) => method !== 'GET' && !path.endsWith('bekreft')))(
  '%s %s refuses who may not come before anything of the body has come',
  async (method, path) => {
    const url = `${ingestor.url}/adapter/v1/${path}`;
    const status = async (claims: Record<string, unknown>): Promise<unknown> =>
      statusBeforeBody(method, url, await ingestor.tokenWith(claims));
    expect(await status({})).toBe(403);
    expect(await status({ ...ADAPTER, organisasjon: 'demo-fylke' })).toBe(403);
    expect(await status({ roles: ['drift'] })).toBe(403);
    if (!path.endsWith('synk')) return;
    expect(await status(ADAPTER)).toBe(409);
    await send('PUT', 'kontrakt', CONTRACT, { ...ADAPTER, azp: 'en-annen' });
    expect(await status(ADAPTER)).toBe(403);
  },
);

test("a large page whose client goes away before it is let in takes nobody's room", async () => {
  await send('PUT', 'kontrakt', CONTRACT);
  const runner = ingestor.owner.createQueryRunner();
  await runner.startTransaction();
  await runner.query('lock table adapter in access exclusive mode');
  const call = request(`${ingestor.url}/adapter/v1/avtaler/synk`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await ingestor.tokenWith(ADAPTER)}`,
      'content-type': 'application/json',
      'content-length': 32 * 1024 * 1024,
    },
  });
  call.on('error', () => undefined).flushHeaders();
  const isWaiting = `select from ${LOCKS} where relation = 'adapter'::regclass and not granted`;
  await waitUntil(async () => (await ingestor.owner.query<unknown[]>(isWaiting)).length > 0, {
    what: 'the contract to be asked for',
  });
  call.destroy();
  // Answered by the same process after it: what came before it has been heard.
  await fetch(`${ingestor.url}/internal/isalive`);
  await runner.rollbackTransaction();
  await runner.release();
  await waitUntil(async () => (await ingestor.owner.query<unknown[]>(isWaiting)).length === 0, {
    what: 'the contract to be read',
  });
  expect((await send('POST', 'avtaler/synk', {})).status).toBe(400);
});

test.each([
  ['adapterId', ''],
  ['heartbeatIntervallMinutter', 0],
  ['fullSynkIntervallDager', 8],
  ['deltaSynk', 'AV_OG_TIL'],
  ['ressurser', ['personer']],
  ['ressurser', []],
  ['ukjent', 1],
])('a contract with %s %j is refused', async (field, value) => {
  expect(await send('PUT', 'kontrakt', { ...CONTRACT, [field]: value })).toMatchObject({
    status: 400,
    body: { feil: [{ felt: field }] },
  });
});

test('a contract can be replaced, and heartbeats are held against it', async () => {
  await send('PUT', 'kontrakt', CONTRACT);
  expect(await send('PUT', 'kontrakt', { ...CONTRACT, heartbeatIntervallMinutter: 10 })).toMatchObject({ status: 200 });
  expect((await send('POST', 'hjerteslag')).body).toMatchObject({ tilstand: 'OK' });
  const after = async (minutes: number): Promise<unknown> => {
    await ingestor.owner.query('update adapter set hjerteslag = now() - make_interval(mins => $1)', [minutes]);
    return (await send('GET', 'status')).body.hjerteslag.tilstand;
  };
  expect(await after(9)).toBe('OK');
  expect(await after(11)).toBe('FORSINKET');
  expect(await after(21)).toBe('STANSET');
  expect((await send('GET', 'status')).body).toMatchObject({
    kontrakt: { ...CONTRACT, heartbeatIntervallMinutter: 10 },
    sisteFullSynk: null,
    fullSynkForfalt: false,
  });
  await ingestor.owner.query(`update adapter set opprettet = now() - interval '8 days'`);
  expect((await send('GET', 'status')).body.fullSynkForfalt).toBe(true);
});

test('Kafka away is 503, and nothing is accepted', async () => {
  await send('PUT', 'kontrakt', CONTRACT);
  expect(await send('POST', 'avtaler/synk', PAGE)).toMatchObject({ status: 503 });
  expect(await ingestor.owner.query('select from synk')).toEqual([]);
});

describe('where the source publishes to the topic itself', () => {
  let fromKafka: TestIngestor;
  beforeAll(async () => {
    fromKafka = await startTestIngestor(undefined, { ADAPTER_KAN_SKRIVE: '' });
  });
  afterAll(() => fromKafka.stop());

  test.each(ROUTES)('%s %s: an adapter may look, and not write', async (method, path, body) => {
    const { status, body: answer } = await fromKafka.call(method, `/adapter/v1/${path}`, body, ADAPTER);
    if (method === 'GET') expect(status).toBe(409);
    else {
      expect([status, answer.type]).toEqual([403, 'urn:tiltak-datadeling:feil:ikke-tilgang']);
      expect(answer.detail).toContain('The source of this organisation publishes to Kafka itself');
    }
    expect(await fromKafka.owner.query('select from adapter')).toEqual([]);
  });
});
