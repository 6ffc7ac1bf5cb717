import { request, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { syntetiskFnr, ventTil } from '@tiltak/testing';
import fc from 'fast-check';
import { lagPool } from '@tiltak/database';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { Eksport } from './eksport.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.settFerskhet(new Date());
});
beforeEach(() => api.eier.query('delete from avtale'));
afterAll(() => api.stopp());

async function hent(hoder: Record<string, string> = {}): Promise<IncomingMessage> {
  const authorization = `Bearer ${await api.utsteder.token({ azp: 'alt' })}`;
  return new Promise((svar, feilet) => {
    request(`${api.url}/api/v1/eksport`, { headers: { authorization, ...hoder } }, svar)
      .on('error', feilet)
      .end();
  });
}

const linjer = (tekst: string): Record<string, unknown>[] =>
  tekst
    .trimEnd()
    .split('\n')
    .map((linje) => JSON.parse(linje) as Record<string, unknown>);

const lagre = (avtaleId: string, felter: Record<string, unknown>): Promise<void> =>
  api.lagre({ avtale_id: avtaleId, ...felter });

test('an empty table is a first line', async () => {
  const svar = await hent();
  expect(svar.headers['content-type']).toBe('application/x-ndjson');
  expect(linjer(String(await buffer(svar)))).toEqual([{ posisjon: expect.any(String), antall: 0 }]);
});

test('every line says what sokAvtaler says, whatever the values are', async () => {
  const tekst = fc.option(fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\0', '')));
  const tid = fc.option(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((d) => d.toISOString()),
  );
  const rad = fc.record({
    avtale_nr: fc.option(fc.nat(2_147_483_647)),
    deltaker_fnr: fc.option(fc.nat(999).map((n) => syntetiskFnr(n))),
    bedrift_nr: fc.oneof(tekst, fc.constant('910825518')),
    bedrift_navn: tekst,
    veileder_nav_ident: tekst,
    tiltakstype: fc.option(fc.constantFrom('MENTOR', 'SOMMERJOBB', 'NYTT_TILTAK')),
    avtale_status: fc.option(fc.constantFrom('GJENNOMFØRES', 'PÅBEGYNT', 'HELT_NY "status"\\')),
    stillingprosent: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    start_dato: fc.option(fc.constantFrom('2026-01-31', '0099-12-31')),
    godkjent_av_deltaker: tid,
    godkjent_paa_vegne_av: fc.option(fc.boolean()),
    opphav: fc.option(fc.constantFrom('VEILEDER', 'X')),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.uuid(), rad), { maxLength: 20 }), async (rader) => {
      await api.eier.query('truncate avtale, relasjon');
      for (const [id, felter] of new Map(rader)) await lagre(id, felter);
      await lagre('00000000-0000-4000-8000-00000000dead', { feilregistrert: true });
      await api.eier.query(`
        insert into relasjon select a.deltaker_id, a.avtale_id, 'samtidige', b.avtale_id from avtale a, avtale b
        where a.deltaker_id is not null and a.avtale_id <> b.avtale_id`);
      const { body } = await api.kall('POST', '/api/v1/avtaler/sok', { body: { antall: 1000 } });
      const [hode, ...resten] = linjer(String(await buffer(await hent())));
      expect(hode).toEqual({ posisjon: expect.any(String), antall: body.avtaler.length });
      const etterId = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
        String(a['avtaleId']) < String(b['avtaleId']) ? -1 : 1;
      expect(resten.sort(etterId)).toEqual(body.avtaler);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('gzipped when that is accepted', async () => {
  await lagre('00000000-0000-4000-8000-000000000001', {});
  const pakket = await hent({ 'accept-encoding': 'br, gzip;q=0.5' });
  expect(pakket.headers['content-encoding']).toBe('gzip');
  expect(linjer(gunzipSync(await buffer(pakket)).toString())).toHaveLength(2);
  expect((await hent({ 'accept-encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined();
});

test.each([
  ['application/x-ndjson', 200],
  ['*/*', 200],
  ['application/json', 406],
])('Accept: %s is answered with %d', async (accept, status) => {
  const svar = await hent({ accept });
  svar.resume();
  expect(svar.statusCode).toBe(status);
});

test('is audited before the first byte, with the number of avtaler', async () => {
  await lagre('00000000-0000-4000-8000-000000000001', {});
  (await hent({ 'Nav-Call-Id': 'alt-ut' })).resume();
  expect(await api.eier.query(`select operasjon, antall_treff from oppslag where call_id = 'alt-ut'`)).toEqual([
    { operasjon: 'eksporterAvtaler', antall_treff: 1 },
  ]);
});

describe('with more than fits in the buffers on the way', () => {
  beforeEach(() =>
    api.eier.query(`
      insert into avtale (avtale_id, bedrift_navn, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
      select gen_random_uuid(), repeat('x', 1000), false, now(), 0, n from generate_series(1, 40000) n`),
  );

  test('a reader that hangs up, or takes nothing, gives its connection back', async () => {
    const { host, port, database, queryApi } = api.database;
    const pool = lagPool({
      ...{ host, port, database, ...queryApi, sslmode: 'disable', applicationName: 'spec' },
      ...{ poolSize: 1, statementTimeoutMs: 60_000, ventPaaForbindelseMs: 5_000 },
    });
    const eksport = new Eksport(pool, 200);
    const treg = await eksport.start();
    await expect(eksport.start()).rejects.toThrow('As many exports as can be are under way');
    await new Promise((lukket) => treg.linjer.once('close', lukket));
    const avbrutt = await eksport.start();
    avbrutt.linjer.destroy();
    await new Promise((lukket) => avbrutt.linjer.once('close', lukket));
    const hel = await eksport.start();
    expect(linjer(String(await buffer(hel.linjer)))).toHaveLength(40_001);
    await pool.end();
  });

  test('what changes meanwhile is not in it, and comes after its position', async () => {
    const svar = await hent();
    await api.eier.query(`update avtale set bedrift_navn = 'endret'`);
    await api.eier.query(`insert into endring (avtale_id, type) select avtale_id, 'ENDRET' from avtale`);
    const [hode, ...resten] = linjer(String(await buffer(svar)));
    expect(resten.every((avtale) => avtale['bedriftNavn'] !== 'endret')).toBe(true);
    const etter = await api.kall('GET', `/api/v1/endringer?etter=${String(hode?.['posisjon'])}&antall=1000`);
    expect(etter.body.endringer).toHaveLength(1_000);
  });

  test('three at a time are too many for one process', async () => {
    const apne = [await hent(), await hent()];
    const tredje = await hent();
    expect([tredje.statusCode, tredje.headers['retry-after']]).toEqual([503, '30']);
    for (const svar of [...apne, tredje]) svar.destroy();
    await ventTil(
      async () => {
        const svar = await hent();
        svar.destroy();
        return svar.statusCode === 200;
      },
      { hva: 'the connections to be given back' },
    );
  });
});
