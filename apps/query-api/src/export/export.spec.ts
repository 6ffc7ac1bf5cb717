import { request, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { syntheticFnr, waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import { GRANTABLE_FIELDS, STORED_FIELDS } from '@tiltak/avtale';
import { createPool } from '@tiltak/database';
import { Shares } from '../shared/shares.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { Export } from './export.ts';

const WHOLE = { fields: STORED_FIELDS, withLinks: true };

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
beforeEach(() => api.owner.query('truncate avtale, relasjon'));
afterAll(() => api.stop());

async function get({ as = 'alt', query = '', ...headers }: Record<string, string> = {}): Promise<IncomingMessage> {
  const authorization = `Bearer ${await api.issuer.token({ azp: as })}`;
  return new Promise((response, failed) => {
    request(`${api.url}/api/v1/eksport${query}`, { headers: { authorization, ...headers } }, response)
      .on('error', failed)
      .end();
  });
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const save = (avtaleId: string, fields: Record<string, unknown>): Promise<void> =>
  api.insertAvtale({ avtale_id: avtaleId, ...fields });

test('an empty table is a first line', async () => {
  const response = await get();
  expect(response.headers['content-type']).toBe('application/x-ndjson');
  expect(lines(String(await buffer(response)))).toEqual([{ posisjon: expect.any(String), antall: 0 }]);
});

test('every line says what sokAvtaler says, whatever the values are', async () => {
  const text = fc.option(fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\0', '')));
  const time = fc.option(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((d) => d.toISOString()),
  );
  const row = fc.record({
    avtale_nr: fc.option(fc.nat(2_147_483_647)),
    deltaker_fnr: fc.option(fc.nat(999).map((n) => syntheticFnr(n))),
    bedrift_nr: fc.oneof(text, fc.constant('910825518')),
    bedrift_navn: text,
    veileder_nav_ident: text,
    tiltakstype: fc.option(fc.constantFrom('MENTOR', 'SOMMERJOBB', 'NYTT_TILTAK')),
    avtale_status: fc.option(fc.constantFrom('GJENNOMFØRES', 'PÅBEGYNT', 'HELT_NY "status"\\')),
    stillingprosent: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    start_dato: fc.option(fc.constantFrom('2026-01-31', '0099-12-31')),
    godkjent_av_deltaker: time,
    godkjent_paa_vegne_av: fc.option(fc.boolean()),
    opphav: fc.option(fc.constantFrom('VEILEDER', 'X')),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.uuid(), row), { maxLength: 20 }), async (rows) => {
      await api.owner.query('truncate avtale, relasjon');
      for (const [id, fields] of new Map(rows)) await save(id, fields);
      await save('00000000-0000-4000-8000-00000000dead', { feilregistrert: true });
      await api.owner.query(`
        insert into relasjon select a.deltaker_id, a.avtale_id, 'samtidige', b.avtale_id from avtale a, avtale b
        where a.deltaker_id is not null and a.avtale_id <> b.avtale_id`);
      const { body } = await api.call('POST', '/api/v1/avtaler/sok', { body: { antall: 1000 } });
      const [header, ...rest] = lines(String(await buffer(await get())));
      expect(header).toEqual({ posisjon: expect.any(String), antall: body.avtaler.length });
      const afterId = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
        String(a['avtaleId']) < String(b['avtaleId']) ? -1 : 1;
      expect(rest.sort(afterId)).toEqual(body.avtaler);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('compressed as it is accepted', async () => {
  await save('00000000-0000-4000-8000-000000000001', {});
  const packed = await get({ 'accept-encoding': 'gzip, br;q=0.5' });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(lines(gunzipSync(await buffer(packed)).toString())).toHaveLength(2);
  const smaller = await get({ 'accept-encoding': 'gzip;q=0.5, br' });
  expect([smaller.headers['content-encoding'], smaller.headers['vary']]).toEqual(['br', 'Accept-Encoding']);
  expect(lines(brotliDecompressSync(await buffer(smaller)).toString())).toHaveLength(2);
  expect((await get({ 'accept-encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined();
});

test.each([
  ['GZIP', 'gzip'],
  ['gzip;q=0, br', 'br'],
  ['*', 'br'],
  ['br;q=0, *;q=0.1', 'gzip'],
  ['*;q=0', undefined],
  ['gzip;q=0, *', 'br'],
  ['deflate', undefined],
  ['gzip, *;q=0', 'gzip'],
  ['identity', undefined],
  ['', undefined],
  ['gzip;q=noe', undefined],
  [';;,', undefined],
])('Accept-Encoding: %s is answered with %s', async (acceptEncoding, contentEncoding) => {
  const response = await get({ 'accept-encoding': acceptEncoding });
  response.resume();
  expect([response.statusCode, response.headers['content-encoding']]).toEqual([200, contentEncoding]);
});

test.each([
  ['application/x-ndjson', 200],
  ['*/*', 200],
  ['application/*;q=0.2', 200],
  ['application/json', 406],
  ['application/x-ndjson;q=0, */*', 406],
])('Accept: %s is answered with %d', async (accept, status) => {
  const response = await get({ accept });
  response.resume();
  expect(response.statusCode).toBe(status);
});

describe('with the fields that are asked for', () => {
  test('each line says what an extract says, and nothing else', async () => {
    await save('00000000-0000-4000-8000-000000000001', { deltaker_fnr: syntheticFnr(1), tiltakstype: 'MENTOR' });
    await save('00000000-0000-4000-8000-000000000002', { start_dato: '2026-01-31', bedrift_nr: '910825518' });
    const fields = fc.shuffledSubarray([...GRANTABLE_FIELDS], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fields, fc.boolean(), async (chosen, inOne) => {
        const query = inOne ? `felter=${chosen.join(',')}` : chosen.map((name) => `felter=${name}`).join('&');
        const [, ...rest] = lines(String(await buffer(await get({ query: `?${query}` }))));
        const { body } = await api.call('POST', '/api/v1/avtaler/utdrag', { body: { felter: chosen } });
        const inOrder = (list: unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();
        expect(inOrder(rest)).toEqual(inOrder(body.avtaler));
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('these alone need a grant, and these alone stand in the audit', async () => {
    const as = { as: 'eksport-smal' };
    expect((await get(as)).statusCode).toBe(403);
    expect((await get({ ...as, query: '?felter=avtaleId,bedriftNr' })).statusCode).toBe(403);
    const response = await get({ ...as, query: '?felter=tiltakstype,avtaleId', 'Nav-Call-Id': 'noe-ut' });
    expect([response.statusCode, lines(String(await buffer(response)))]).toEqual([200, [expect.anything()]]);
    expect(await api.owner.query(`select felter from oppslag where call_id = 'noe-ut'`)).toEqual([
      { felter: ['avtaleId', 'tiltakstype'] },
    ]);
  });

  test.each([
    ['felter=avtaleId,kontonummer&felter=lonn', 'not so: kontonummer, lonn'],
    [`felter=${'1'.repeat(11)}`, 'not so: what is no name'],
    ['felter=', 'not so: what is no name'],
    ['felter=avtaleId,avtaleId', 'must not name a field twice'],
  ])('%s is refused, and told why', async (query, why) => {
    const { status, body } = await api.call('GET', `/api/v1/eksport?${query}`);
    expect([status, body.feil]).toEqual([400, [{ felt: 'felter', melding: expect.stringContaining(why) }]]);
  });
});

test('is audited before the first byte, with the number of avtaler', async () => {
  await save('00000000-0000-4000-8000-000000000001', {});
  (await get({ 'Nav-Call-Id': 'alt-ut' })).resume();
  expect(await api.owner.query(`select operasjon, antall_treff from oppslag where call_id = 'alt-ut'`)).toEqual([
    { operasjon: 'eksporterAvtaler', antall_treff: 1 },
  ]);
});

describe('with more than fits in the buffers on the way', () => {
  beforeEach(() =>
    api.owner.query(`
      insert into avtale (avtale_id, bedrift_navn, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
      select gen_random_uuid(), repeat('x', 1000), false, now(), 0, n from generate_series(1, 40000) n`),
  );

  test('a reader that hangs up, or takes nothing, gives its connection back', async () => {
    const { host, port, database, queryApi } = api.database;
    const pool = createPool({
      ...{ host, port, database, ...queryApi, sslmode: 'disable', applicationName: 'spec' },
      ...{ poolSize: 1, statementTimeoutMs: 60_000, connectTimeoutMs: 5_000 },
    });
    const exported = new Export(pool, new Shares(2), 200);
    const slow = await exported.start('a', WHOLE);
    await expect(exported.start('b', WHOLE)).rejects.toThrow('As many exports as can be are under way');
    await new Promise((closed) => slow.lines.once('close', closed));
    const aborted = await exported.start('a', WHOLE);
    aborted.lines.destroy();
    await new Promise((closed) => aborted.lines.once('close', closed));
    // With the ordinary patience: how fast this machine is must not decide.
    const whole = await new Export(pool, new Shares(2)).start('a', WHOLE);
    expect(lines(String(await buffer(whole.lines)))).toHaveLength(40_001);
    await pool.end();
  });

  test('while it is read it holds no month of the feed', async () => {
    const response = await get();
    await api.owner.query(`begin; set local lock_timeout = '5s'; lock table endring, avtale_endring; rollback`);
    expect(lines(String(await buffer(response)))).toHaveLength(40_001);
  });

  test('what changes meanwhile is not in it, and comes after its position', async () => {
    const response = await get();
    await api.owner.query(`update avtale set bedrift_navn = 'endret'`);
    await api.owner.query(`insert into endring (avtale_id, type) select avtale_id, 'ENDRET' from avtale`);
    // Read before the feed is waited for: whoever takes nothing for long is cut off.
    const [header, ...rest] = lines(String(await buffer(response)));
    expect(rest.every((avtale) => avtale['bedriftNavn'] !== 'endret')).toBe(true);
    await api.feedSeen();
    const after = await api.call('GET', `/api/v1/endringer?etter=${String(header?.['posisjon'])}&antall=1000`);
    expect(after.body.endringer).toHaveLength(1_000);
  });

  test('two slow ones of one consumer leave the others what is theirs', async () => {
    const other = { as: 'to-formal', behandlingsgrunnlag: 'B1' };
    const open = [await get(), await get()];
    const third = await get();
    expect([third.statusCode, third.headers['retry-after']]).toEqual([429, '30']);
    open.push(await get(other), await get(other));
    expect(open.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    const full = await get({ as: 'graadig' });
    expect([full.statusCode, full.headers['retry-after']]).toEqual([503, '30']);
    for (const response of [...open, third, full]) response.destroy();
    await waitUntil(
      async () => {
        const response = await get();
        response.destroy();
        return response.statusCode === 200;
      },
      { what: 'the connections to be given back' },
    );
  });
});
