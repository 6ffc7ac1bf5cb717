import { request } from 'node:http';
import fc from 'fast-check';
import { ventTil } from '@tiltak/testing';
import { batch, melding, TOPIC } from '../testing/test-innlesning.ts';
import { startTestDrift, type Svar, type TestDrift } from '../testing/test-drift.ts';

/** The list and the report over HTTP. What the topic is needed for stands in `tools/e2e/avstemming.spec.ts`. */
let drift: TestDrift;

beforeAll(async () => {
  drift = await startTestDrift();
});
afterAll(() => drift.stopp());
beforeEach(() => drift.toem());

const STI = '/drift/v1/avstemming';
const FOER = '2026-01-01T00:00:00Z';
const id = (nummer: number): string => `00000000-0000-4000-8000-${String(nummer).padStart(12, '0')}`;
const linje = (nummer: number, sistEndret = FOER): string =>
  `${JSON.stringify({ avtaleId: id(nummer), sistEndret })}\n`;
const avstem = (...linjer: string[]): Promise<Svar> => drift.kall('POST', STI, linjer.join(''));

type Tall = Record<'antall' | 'ferske', number>;
/** Of each type that there are any of: those that count and those that don't. */
const tall = ({ body }: Svar): Record<string, [number, number]> =>
  Object.fromEntries(
    body.differanser
      .filter(({ antall, ferske }: Tall) => antall + ferske > 0)
      .map(({ type, antall, ferske }: Tall & { type: string }) => [type, [antall, ferske]]),
  );

/** The avtaler 1 to `antall`. */
async function lagre(antall: number): Promise<void> {
  await drift.innlesning.lesInn(batch(Array.from({ length: antall }, (_, i) => melding(i, { avtaleId: id(i + 1) }))));
  drift.sluttOffset(antall);
}

async function differanser(rapport: string, type: string, ferske = false): Promise<string[]> {
  const { body } = await drift.kall('GET', `${STI}/${rapport}/differanser?type=${type}&ferske=${String(ferske)}`);
  return body.differanser.map(({ avtaleId }: { avtaleId: string }) => avtaleId);
}

afterEach(() => drift.sluttOffset(0));

test('two sides that agree differ in nothing, however the list is ordered and often it names them', async () => {
  await lagre(3);
  const svar = await avstem(linje(3), linje(1), '\r\n', linje(2), linje(2, '2025-01-01T00:00:00Z'));
  expect(svar.status).toBe(201);
  expect(svar.body).toMatchObject({ kilde: 'LISTE', antallHosKilden: 3, startetAv: 'vakt@nav.example' });
  expect(svar.body.differanser).toEqual(
    ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'].map((type) => ({
      type,
      antall: 0,
      rettet: 0,
      ferske: 0,
      eldsteAlderSekunder: null,
    })),
  );
});

test('each planted difference is found, and nothing else', async () => {
  await lagre(6);
  await drift.eier.query(`update avtale set slettet = 'SLETTEMERKET' where avtale_id = any($1)`, [[id(4), id(5)]]);
  await drift.eier.query(`update avtale set slettet = 'GRAVSTEIN', mottatt = $2 where avtale_id = $1`, [id(6), FOER]);
  const svar = await avstem(
    linje(1, '2026-01-01T00:00:00.000001Z'),
    linje(2, '2025-12-31T23:59:59.999999Z'),
    linje(4),
    linje(5, '2026-01-02T00:00:00Z'),
    linje(6),
    linje(7),
  );
  expect(tall(svar)).toEqual({ MANGLER: [3, 0], UTDATERT: [1, 0], FREMMED: [1, 0], NYERE: [1, 0] });
  const rapport = svar.body.id as string;
  expect(await differanser(rapport, 'MANGLER')).toEqual([id(5), id(6), id(7)]);
  expect(await differanser(rapport, 'UTDATERT')).toEqual([id(1)]);
  expect(await differanser(rapport, 'NYERE')).toEqual([id(2)]);
  expect(await differanser(rapport, 'FREMMED')).toEqual([id(3)]);
  expect((await drift.kall('GET', STI)).body.avstemminger).toEqual([svar.body]);
  expect((await drift.kall('GET', `${STI}/${rapport}`)).body).toEqual(svar.body);
  expect((await drift.kall('GET', '/drift/v1/handlinger')).body.handlinger).toMatchObject([
    { handling: 'AVSTEM', gjelder: rapport, antall: 6 },
  ]);
});

test('what the source is to send again has the form of its list, to the microsecond', async () => {
  await lagre(1);
  const { body } = await avstem(linje(1, '2026-01-01T00:00:00.000001Z'), linje(2));
  const svar = await fetch(`${drift.url}${STI}/${String(body.id)}/sendes-paa-nytt`, {
    headers: { authorization: `Bearer ${await drift.token()}` },
  });
  expect(svar.headers.get('content-type')).toBe('application/x-ndjson');
  const tekst = await svar.text();
  expect(tekst).toBe(linje(1, '2026-01-01T00:00:00.000001Z') + linje(2, '2026-01-01T00:00:00.000000Z'));
  expect(tall(await avstem(tekst))).toEqual(tall({ status: 201, body }));
});

describe('too fresh to count, shown apart', () => {
  const minutterSiden = (minutter: number): string => new Date(Date.now() - minutter * 60_000).toISOString();

  test('what either side changed shortly before the list, or since', async () => {
    await lagre(2);
    await drift.eier.query('update avtale set sist_endret = now() where avtale_id = $1', [id(1)]);
    const svar = await avstem(linje(3, minutterSiden(1)), linje(4, minutterSiden(10)));
    expect(tall(svar)).toEqual({ MANGLER: [1, 1], FREMMED: [1, 1] });
    expect(await differanser(svar.body.id, 'MANGLER')).toEqual([id(4)]);
    expect(await differanser(svar.body.id, 'MANGLER', true)).toEqual([id(3)]);
    expect(svar.body.differanser[0].eldsteAlderSekunder).toBeGreaterThanOrEqual(600);
  });

  test('what was learned after the moment of the list', async () => {
    await lagre(1);
    const per = encodeURIComponent(minutterSiden(60));
    const svar = await drift.kall('POST', `${STI}?per=${per}`, linje(2));
    expect(tall(svar)).toEqual({ MANGLER: [1, 0], FREMMED: [0, 1] });
  });

  test('what a message decided that came while the list did', async () => {
    await lagre(2);
    drift.sluttOffset(1);
    const svar = await avstem(linje(3));
    expect(tall(svar)).toEqual({ MANGLER: [1, 0], FREMMED: [1, 1] });
    expect(await differanser(svar.body.id, 'FREMMED')).toEqual([id(1)]);
  });
});

test('what lies beyond the end of a topic that was made anew counts', async () => {
  await lagre(3);
  await drift.eier.query('update konsum_offset set neste_offset = 1 where topic = $1', [TOPIC]);
  drift.sluttOffset(1);
  expect(tall(await avstem(linje(1)))).toEqual({ FREMMED: [2, 0] });
});

test('random sides: exactly what differs is found', async () => {
  const tid = fc.integer({ min: 0, max: 3 }).map((dag) => `2026-01-0${String(dag + 1)}T00:00:00Z`);
  const side = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 12 }), tid), { selector: ([nummer]) => nummer });
  await fc.assert(
    fc.asyncProperty(side, side, async (her, hosKilden) => {
      await drift.toem();
      drift.sluttOffset(her.length);
      const meldinger = her.map(([nummer, sistEndret], i) => melding(i, { avtaleId: id(nummer), sistEndret }));
      if (her.length > 0) await drift.innlesning.lesInn(batch(meldinger));
      const svar = await avstem(...hosKilden.map(([nummer, sistEndret]) => linje(nummer, sistEndret)));
      const kilde = new Map(hosKilden);
      const lagret = new Map(her);
      const ventet = {
        MANGLER: hosKilden.filter(([nummer]) => !lagret.has(nummer)),
        UTDATERT: her.filter(([nummer, sist]) => sist < (kilde.get(nummer) ?? sist)),
        FREMMED: her.filter(([nummer]) => !kilde.has(nummer)),
        NYERE: her.filter(([nummer, sist]) => sist > (kilde.get(nummer) ?? sist)),
      };
      for (const [type, avtaler] of Object.entries(ventet)) {
        expect(await differanser(svar.body.id, type)).toEqual(avtaler.map(([nummer]) => id(nummer)).sort());
      }
    }),
    { numRuns: 15 },
  );
}, 30_000);

test('differences are paged through once', async () => {
  const { body } = await avstem(...Array.from({ length: 5 }, (_, i) => linje(i + 1)));
  const sett: string[] = [];
  for (let neste = '', flere = true; flere;) {
    const side = await drift.kall('GET', `${STI}/${String(body.id)}/differanser?type=MANGLER&antall=2${neste}`);
    sett.push(...side.body.differanser.map(({ avtaleId }: { avtaleId: string }) => avtaleId));
    neste = `&neste=${String(side.body.neste)}`;
    flere = side.body.neste !== undefined;
  }
  expect(sett).toEqual([1, 2, 3, 4, 5].map(id));
});

test('only the last fifty reports are kept', async () => {
  for (let i = 0; i < 52; i++) await avstem(linje(1));
  const { body } = await drift.kall('GET', `${STI}?antall=200`);
  expect(body.avstemminger).toHaveLength(50);
  expect(body.avstemminger[0].id).toBe('52');
  expect(await drift.kall('GET', `${STI}/2`)).toMatchObject({ status: 404 });
});

describe('refused, and nothing kept', () => {
  afterEach(async () => {
    expect((await drift.kall('GET', STI)).body.avstemminger).toEqual([]);
  });

  test.each([
    ['{', '2.linje'],
    ['[]', '2.linje'],
    ['null', '2.linje'],
    [JSON.stringify({ avtaleId: 'x', sistEndret: FOER }), '2.avtaleId'],
    [JSON.stringify({ avtaleId: id(2) }), '2.sistEndret'],
    [JSON.stringify({ avtaleId: id(2), sistEndret: '2026-01-01T00:00:00' }), '2.sistEndret'],
    [JSON.stringify({ avtaleId: id(2), sistEndret: '2026-02-30T00:00:00Z' }), '2.sistEndret'],
  ])('%s', async (daarlig, felt) => {
    const svar = await avstem(linje(1), `${daarlig}\n`, linje(3));
    expect(svar).toMatchObject({ status: 400, body: { feil: [{ felt }] } });
  });

  test('too many lines, of which most were never read', async () => {
    expect(await avstem(linje(1).repeat(100_000))).toMatchObject({ status: 413 });
  });

  test('a line without end', async () => {
    expect(await avstem('x'.repeat(3_000_000))).toMatchObject({ status: 413 });
  });

  test.each([
    ['POST', STI, { a: 1 }, 415],
    ['POST', STI, undefined, 415],
    ['POST', '/drift/v1/parkerte/spill-av', '{"alle":true}', 415],
    ['POST', `${STI}?kilde=TOPIC`, linje(1), 400],
    ['POST', `${STI}?kilde=ANNET`, linje(1), 400],
    ['POST', `${STI}?per=2026-01-01T00:00:00`, linje(1), 400],
    ['POST', `${STI}?per=2026-01-01T00:00:00-24:00`, linje(1), 400],
    ['POST', `${STI}?per=2026-01-01T00:00:00-15:59`, 'x', 400],
    ['POST', `${STI}?per=2026-02-30T00:00:00Z`, linje(1), 400],
    ['GET', `${STI}/1`, undefined, 404],
    ['GET', `${STI}/1/differanser?type=MANGLER`, undefined, 404],
    ['GET', `${STI}/1/differanser`, undefined, 400],
    ['GET', `${STI}/1/sendes-paa-nytt`, undefined, 404],
    ['POST', `${STI}/1/rett`, { type: 'MANGLER' }, 404],
    ['POST', `${STI}/1/rett`, { type: 'FREMMED', bekreft: 0 }, 404],
    ['POST', `${STI}/1/rett`, { type: 'FREMMED' }, 400],
    ['POST', `${STI}/1/rett`, { type: 'NYERE' }, 400],
  ] as const)('%s %s', async (metode, sti, body, status) => {
    expect(await drift.kall(metode, sti, body)).toMatchObject({ status });
  });

  test('while another one runs', async () => {
    const db = await drift.pool.connect();
    try {
      await db.query(`select pg_advisory_lock(hashtext('tiltak-datadeling avstemming'))`);
      expect(await avstem(linje(1))).toMatchObject({ status: 409 });
    } finally {
      db.release(true);
    }
  });

  test('a list that breaks off, after which the next one is compared', async () => {
    const sendes = request(`${drift.url}${STI}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await drift.token()}`, 'content-type': 'application/x-ndjson' },
    });
    sendes.on('error', () => undefined);
    sendes.write(linje(1).repeat(10_000));
    const laaser = (): Promise<boolean> =>
      drift.eier
        .query(`select 1 from pg_locks where locktype = 'advisory' and granted`)
        .then((rader: unknown[]) => rader.length > 0);
    await ventTil(laaser, { hva: 'the list to be read' });
    sendes.destroy();
    await ventTil(async () => !(await laaser()), { hva: 'the list to be given up' });
  });

  test('a deletion of another number than there are', async () => {
    await lagre(2);
    const { body } = await avstem(linje(1));
    expect(await drift.kall('POST', `${STI}/${String(body.id)}/rett`, { type: 'FREMMED', bekreft: 2 })).toMatchObject({
      status: 409,
      body: { detail: 'There are 1 to delete, and bekreft says another number' },
    });
    await drift.toem();
  });
});

test('what is on the topic and not stored yet is waited for', async () => {
  await drift.eier.query('update konsum_offset set neste_offset = 0 where topic = $1', [TOPIC]);
  drift.sluttOffset(1);
  expect(await avstem(linje(1))).toMatchObject({ status: 503 });
  const svar = avstem(linje(1));
  await drift.innlesning.lesInn(batch([melding(0, { avtaleId: id(1) })]));
  expect(tall(await svar)).toEqual({});
});
