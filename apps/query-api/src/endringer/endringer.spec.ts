import { setTimeout as vent } from 'node:timers/promises';
import { ventTil } from '@tiltak/testing';
import pg from 'pg';
import { startTestApi, type Svar, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
let skriver: pg.Pool;

beforeAll(async () => {
  api = await startTestApi();
  await api.settFerskhet(new Date());
  skriver = new pg.Pool({ connectionString: api.database.url, max: 12 });
  skriver.on('error', () => undefined);
  skriver.on('connect', (klient) => void klient.on('error', () => undefined));
});
beforeEach(() => api.eier.query('delete from endring'));
afterAll(async () => {
  await skriver.end();
  await api.stopp();
});

const avtale = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const SETT_INN = `insert into endring (avtale_id, type) values ($1, 'ENDRET')`;

async function les(etter: string | undefined, { antall = 100, vent = 0 } = {}): Promise<Svar> {
  const fra = etter === undefined ? '' : `&etter=${etter}`;
  return api.kall('GET', `/api/v1/endringer?antall=${String(antall)}&ventSekunder=${String(vent)}${fra}`);
}

/** Transactions of other suites on the same server hold the feed back too, for a moment. */
async function alleSynlige(antall: number): Promise<void> {
  await ventTil(async () => ider(await les(undefined, { antall: 1_000 })).length === antall, {
    hva: 'the changes to be seen',
  });
}

const ider = ({ body }: Svar): string[] => (body.endringer as { avtaleId: string }[]).map(({ avtaleId }) => avtaleId);

test('changes in order, page by page, and then the same position', async () => {
  for (const n of [1, 2, 3]) await api.eier.query(SETT_INN, [avtale(n)]);
  await api.eier.query(`insert into endring (avtale_id, type, aarsak) values ($1, 'SLETTET', 'FEILREGISTRERT')`, [
    avtale(1),
  ]);
  await alleSynlige(4);
  const foerste = await les(undefined, { antall: 3 });
  expect(ider(foerste)).toEqual([1, 2, 3].map(avtale));
  expect(foerste.body.flere).toBe(true);
  expect(foerste.body.endringer[0]).toEqual({
    avtaleId: avtale(1),
    type: 'ENDRET',
    tidspunkt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    _links: { avtale: { href: `/api/v1/avtaler/${avtale(1)}` } },
  });
  const andre = await les(foerste.body.posisjon, { antall: 3 });
  expect(andre.body.endringer).toEqual([
    expect.objectContaining({ avtaleId: avtale(1), type: 'SLETTET', aarsak: 'FEILREGISTRERT', _links: {} }),
  ]);
  expect(andre.body.flere).toBe(false);
  const tom = await les(andre.body.posisjon);
  expect(tom.body).toEqual({ endringer: [], posisjon: andre.body.posisjon, flere: false });
});

test('each look into the feed is audited', async () => {
  const hoder = { 'Nav-Call-Id': 'se-i-strommen' };
  await api.kall('GET', '/api/v1/endringer', { hoder });
  const oppslag = await api.eier.query(`select operasjon, felter, antall_treff from oppslag where call_id = $1`, [
    hoder['Nav-Call-Id'],
  ]);
  expect(oppslag).toEqual([{ operasjon: 'hentEndringer', felter: ['avtaleId'], antall_treff: 0 }]);
});

/** A transaction that has taken its id and its place, and not ended. */
async function apen(n: number): Promise<pg.PoolClient> {
  const klient = await skriver.connect();
  await klient.query('begin');
  await klient.query(SETT_INN, [avtale(n)]);
  return klient;
}

test('what commits before an older transaction has ended waits for it', async () => {
  const { posisjon } = (await les(undefined)).body;
  const eldre = await apen(1);
  await skriver.query(SETT_INN, [avtale(2)]);
  expect((await les(posisjon)).body).toEqual({ endringer: [], posisjon, flere: false });
  await eldre.query('commit');
  eldre.release();
  await alleSynlige(2);
  expect(ider(await les(posisjon))).toEqual([1, 2].map(avtale));
});

test('an older transaction that is rolled back holds nothing up afterwards', async () => {
  const eldre = await apen(1);
  await skriver.query(SETT_INN, [avtale(2)]);
  await eldre.query('rollback');
  eldre.release();
  await alleSynlige(1);
  expect(ider(await les(undefined))).toEqual([avtale(2)]);
});

describe('a reader that waits', () => {
  test('is answered when something is committed, and only then', async () => {
    const { posisjon } = (await les(undefined)).body;
    const apenTransaksjon = await apen(1);
    let besvart = false;
    const svar = les(posisjon, { vent: 30 }).finally(() => (besvart = true));
    await vent(300);
    expect(besvart).toBe(false);
    await apenTransaksjon.query('commit');
    apenTransaksjon.release();
    expect(ider(await svar)).toEqual([avtale(1)]);
  });

  test('gets an empty page when the time is out', async () => {
    const { posisjon } = (await les(undefined)).body;
    expect((await les(posisjon, { vent: 1 })).body).toEqual({ endringer: [], posisjon, flere: false });
  });

  test('is let go when the process stops', async () => {
    const egen = await startTestApi();
    await egen.settFerskhet(new Date());
    const svar = egen.kall('GET', '/api/v1/endringer?ventSekunder=30');
    const tilsyn = new pg.Client({ connectionString: egen.database.url });
    await tilsyn.connect();
    const leterEtterSlutten = `select from pg_stat_activity where datname = current_database() and query like '%by tx desc%' and pid <> pg_backend_pid()`;
    await ventTil(async () => (await tilsyn.query(leterEtterSlutten)).rowCount !== 0, { hva: 'the reader to wait' });
    await tilsyn.end();
    await egen.stopp();
    expect((await svar).status).toBe(200);
  });
});

describe('a position', () => {
  test.each(['x', 'N2Y5YzJl', encodeURIComponent('{"tx":1}')])('that is made up is refused: %s', async (etter) => {
    const svar = await les(etter);
    expect([svar.status, svar.body.feil]).toEqual([
      400,
      [{ felt: 'etter', melding: 'is not a position from an answer' }],
    ]);
  });

  test('that was changed is refused', async () => {
    const { posisjon } = (await les(undefined)).body as { posisjon: string };
    const [epoke, , lopenr, siffer] = Buffer.from(posisjon, 'base64url').toString().split('.');
    const endret = Buffer.from([epoke, 'zz', lopenr, siffer].join('.')).toString('base64url');
    expect((await les(endret)).status).toBe(400);
  });

  test('from another epoch is gone, and the answer tells where to start again', async () => {
    const { posisjon } = (await les(undefined)).body;
    await api.eier.query('update instans set epoke = gen_random_uuid()');
    const svar = await les(posisjon);
    expect([svar.status, svar.body.type]).toEqual([410, 'urn:tiltak-datadeling:feil:utgaatt']);
    expect((await api.kall('GET', svar.body.nyStart.endringer)).status).toBe(200);
    expect((await api.kall('GET', svar.body.nyStart.eksport)).status).toBe(200);
  });

  test('from before what was removed for age is gone; one at the edge is not', async () => {
    for (const n of [1, 2, 3]) await api.eier.query(SETT_INN, [avtale(n)]);
    await alleSynlige(3);
    const [en, to, tre] = await Promise.all([1, 2, 3].map((antall) => les(undefined, { antall })));
    await api.eier.query(`
      with kant as (update instans set beskaaret_til = (select tx from endring order by tx offset 1 limit 1) returning beskaaret_til)
      delete from endring using kant where tx < beskaaret_til`);
    expect((await les(en?.body.posisjon)).status).toBe(410);
    expect(ider(await les(to?.body.posisjon))).toEqual([avtale(3)]);
    expect(ider(await les(tre?.body.posisjon))).toEqual([]);
    expect(ider(await les(undefined))).toEqual([2, 3].map(avtale));
    await api.eier.query(`update instans set beskaaret_til = '0'`);
  });
});

/** Writers as several ingestors are: transactions of any length, some rolled back, some whose connection is killed. */
async function skriv(id: number, antall: number, tilfeldig: () => number): Promise<string[]> {
  const skrevet: string[] = [];
  for (let i = 0; i < antall; i++) {
    const klient = await skriver.connect();
    const egne = Array.from({ length: 1 + Math.floor(tilfeldig() * 4) }, (_, n) => avtale(id * 100_000 + i * 10 + n));
    const slutt = tilfeldig();
    try {
      await klient.query('begin');
      for (const en of egne) {
        await klient.query(SETT_INN, [en]);
        await vent(tilfeldig() * 4);
      }
      if (tilfeldig() < 0.05) await vent(150);
      if (slutt < 0.1) await klient.query('rollback');
      else if (slutt < 0.2) await klient.query('select pg_terminate_backend(pg_backend_pid())');
      else {
        await klient.query('commit');
        skrevet.push(...egne);
      }
      klient.release();
    } catch {
      klient.release(true);
    }
  }
  return skrevet;
}

test('readers that follow the feed get every committed change exactly once, whatever the writers do', async () => {
  let froe = 7;
  const tilfeldig = (): number => (froe = (froe * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  let ferdig = false;
  const leser = async (antall: number, ventSekunder: number): Promise<string[]> => {
    const lest: string[] = [];
    let posisjon: string | undefined;
    for (;;) {
      const sisteRunde = ferdig;
      const svar = await les(posisjon, { antall, vent: sisteRunde ? 0 : ventSekunder });
      lest.push(...ider(svar));
      posisjon = svar.body.posisjon;
      if (sisteRunde && !svar.body.flere) return lest;
    }
  };
  const lesere = [leser(3, 1), leser(50, 0), leser(1_000, 1)];
  const skrevet = (await Promise.all([1, 2, 3, 4, 5, 6].map((id) => skriv(id, 40, tilfeldig)))).flat();
  await alleSynlige(skrevet.length > 1_000 ? 1_000 : skrevet.length);
  ferdig = true;
  const lest = await Promise.all(lesere);
  expect(skrevet.length).toBeGreaterThan(200);
  for (const en of lest) expect([...en].sort()).toEqual([...skrevet].sort());
  // All in the same order.
  expect(lest[1]).toEqual(lest[0]);
  expect(lest[2]).toEqual(lest[0]);
}, 60_000);
