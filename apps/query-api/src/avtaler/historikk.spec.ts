import pg from 'pg';
import { deltakerId, startTestApi, type Svar, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const KARI = '10000000001';
const OLA = '10000000002';
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const dag = (n: number): string => `2026-01-${String(n).padStart(2, '0')}T10:00:00Z`;

/** A version as the ingestor stores it. */
async function versjon(n: number, laert: string, felter: Record<string, unknown> = {}): Promise<void> {
  const rad = {
    ...{ avtale_id: id(n), feilregistrert: false, sist_endret: laert, kilde_partisjon: 0, kilde_offset: 0 },
    ...{ avtrykk: id(0), laert, deltaker_fnr: KARI, deltaker_id: deltakerId(KARI), ...felter },
  };
  const kolonner = Object.keys(rad);
  await api.eier.query(
    `insert into avtale_versjon (${kolonner.join(', ')}) values (${kolonner.map((_, i) => `$${String(i + 1)}`).join(', ')})`,
    Object.values(rad),
  );
}

beforeAll(async () => {
  api = await startTestApi();
  await api.settFerskhet(new Date());
  // 1 changes employer and status; 2 was wrongly registered for a while; 3 is so now; 4 is erased.
  await api.lagre({ avtale_id: id(1), deltaker_fnr: KARI, bedrift_nr: '910712330', avtale_status: 'AVSLUTTET' });
  await versjon(1, dag(1), { bedrift_nr: '910825518', avtale_status: 'PÅBEGYNT' });
  await versjon(1, dag(3), { bedrift_nr: '910712330', avtale_status: 'GJENNOMFØRES' });
  await versjon(1, dag(5), { bedrift_nr: '910712330', avtale_status: 'AVSLUTTET' });
  await api.lagre({ avtale_id: id(2), deltaker_fnr: KARI });
  await versjon(2, dag(1));
  await versjon(2, dag(2), { feilregistrert: true });
  await versjon(2, dag(4));
  await api.lagre({ avtale_id: id(3), deltaker_fnr: KARI, feilregistrert: true });
  await versjon(3, dag(1));
  await versjon(3, dag(2), { feilregistrert: true });
  await api.lagre({ avtale_id: id(4), slettet: 'SLETTEMERKET' });
  await versjon(4, dag(1));
});
afterAll(() => api.stopp());

const sok = (body: Record<string, unknown>): Promise<Svar> => api.kall('POST', '/api/v1/avtaler/sok', { body });
const numre = ({ body }: Svar): number[] =>
  body.avtaler.map(({ avtaleId }: { avtaleId: string }) => Number(avtaleId.slice(-12)));

describe('gjeldendePer', () => {
  test.each([
    ['before anything was known', '2025-12-31T00:00:00Z', {}, []],
    ['the moment it was learned', dag(1), {}, [1, 2]],
    ['while one was wrongly registered', dag(3), {}, [1]],
    ['after it was mended', dag(4), {}, [1, 2]],
    ['by an employer of then', dag(2), { bedriftsnumre: ['910825518'] }, [1]],
    ['by an employer of now', dag(2), { bedriftsnumre: ['910712330'] }, []],
    ['by a status of then', dag(4), { statuser: ['GJENNOMFORES'] }, [1]],
    ['by a status before then', dag(4), { statuser: ['PAABEGYNT'] }, []],
    ['by person', dag(4), { personidenter: [KARI] }, [1, 2]],
    ['with an offset', '2026-01-03T10:59:59+01:00', { bedriftsnumre: ['910825518'] }, [1]],
  ])('%s', async (_, gjeldendePer, filter, ventet) => {
    expect(numre(await sok({ ...filter, gjeldendePer }))).toEqual(ventet);
  });

  test('gives the content of then, page by page', async () => {
    const foerste = await sok({ gjeldendePer: dag(4), antall: 1 });
    expect(foerste.body.avtaler[0]).toMatchObject({ bedriftNr: '910712330', avtaleStatus: 'GJENNOMFORES' });
    const andre = await sok({ gjeldendePer: dag(4), antall: 1, neste: foerste.body.neste });
    expect([numre(andre), andre.body.neste]).toEqual([[2], undefined]);
    expect((await sok({ gjeldendePer: dag(5), antall: 1, neste: foerste.body.neste })).status).toBe(400);
  });

  test.each([
    ['3026-01-01T00:00:00Z', 'must not be in the future'],
    ['2026-01-01', 'must be a moment with offset, for instance 2026-01-31T10:00:00Z'],
  ])('%s is refused', async (gjeldendePer, melding) => {
    expect((await sok({ gjeldendePer })).body.feil).toEqual([{ felt: 'gjeldendePer', melding }]);
  });
});

describe('hentTiltaksstatus with gjeldendePer', () => {
  const tiltak = (avtale_status: string, slutt_dato: string): Record<string, unknown> => ({
    ...{ deltaker_fnr: OLA, deltaker_id: deltakerId(OLA), avtale_inngaatt: dag(1) },
    ...{ avtale_status, start_dato: '2026-01-01', slutt_dato },
  });
  const status = async (body: Record<string, unknown>): Promise<unknown[]> => {
    const svar = await api.kall('POST', '/api/v1/personer/tiltaksstatus', { body: { personidenter: [OLA], ...body } });
    return [svar.body.dato, svar.body.personer[0].til];
  };
  beforeAll(async () => {
    await api.lagre({ avtale_id: id(8), ...tiltak('AVBRUTT', '2026-03-31') });
    await versjon(8, dag(2), tiltak('GJENNOMFØRES', '2026-01-31'));
    await versjon(8, dag(4), tiltak('GJENNOMFØRES', '2026-03-31'));
    await versjon(8, dag(6), tiltak('AVBRUTT', '2026-03-31'));
  });
  afterAll(() => api.eier.query(`update avtale set feilregistrert = true where avtale_id = $1`, [id(8)]));

  test.each([
    ['before it was known', { gjeldendePer: dag(1) }, ['2026-01-01', null]],
    ['as first known', { gjeldendePer: dag(2) }, ['2026-01-02', '2026-01-31']],
    ['after it was prolonged', { gjeldendePer: dag(4), dato: '2026-02-15' }, ['2026-02-15', '2026-03-31']],
    ['on a day it did not reach then', { gjeldendePer: dag(3), dato: '2026-02-15' }, ['2026-02-15', null]],
    ['after it was aborted', { gjeldendePer: dag(6) }, ['2026-01-06', null]],
    ['now', { dato: '2026-01-15' }, ['2026-01-15', null]],
    ['the day in Oslo', { gjeldendePer: '2026-01-02T23:30:00Z' }, ['2026-01-03', '2026-01-31']],
  ])('%s', async (_, body, ventet) => expect(await status(body)).toEqual(ventet));

  test('is refused for the future', async () => {
    const body = { personidenter: [OLA], gjeldendePer: '3026-01-01T00:00:00Z' };
    const svar = await api.kall('POST', '/api/v1/personer/tiltaksstatus', { body });
    expect([svar.status, svar.body.feil]).toEqual([
      400,
      [{ felt: 'gjeldendePer', melding: 'must not be in the future' }],
    ]);
  });
});

describe('hentVersjoner', () => {
  const hent = (n: number, sporring = ''): Promise<Svar> =>
    api.kall('GET', `/api/v1/avtaler/${id(n)}/versjoner${sporring}`);

  test('gives what was to be seen, oldest first, page by page', async () => {
    const foerste = await hent(1, '?antall=2');
    const andre = await hent(1, `?antall=2&neste=${foerste.body.neste}`);
    const alle = [...foerste.body.versjoner, ...andre.body.versjoner];
    expect(alle.map(({ laert, avtale }) => [laert, avtale.avtaleStatus])).toEqual([
      [dag(1), 'PAABEGYNT'],
      [dag(3), 'GJENNOMFORES'],
      [dag(5), 'AVSLUTTET'],
    ]);
    expect(andre.body.neste).toBeUndefined();
    expect((await hent(2)).body.versjoner.map(({ laert }: { laert: string }) => laert)).toEqual([dag(1), dag(4)]);
    expect((await hent(2, `?neste=${foerste.body.neste}`)).status).toBe(400);
  });

  test('a cursor that is made up is refused, also one that fits the avtale', async () => {
    const [avtrykk = ''] =
      /^.{16}/.exec(Buffer.from((await hent(1, '?antall=1')).body.neste, 'base64url').toString()) ?? [];
    for (const lopenr of ['9'.repeat(19), '-1', '1e3']) {
      const neste = Buffer.from(avtrykk + lopenr).toString('base64url');
      expect((await hent(1, `?neste=${neste}`)).status).toBe(400);
    }
    const forbi = Buffer.from(avtrykk + '9'.repeat(18)).toString('base64url');
    expect((await hent(1, `?neste=${forbi}`)).status).toBe(404);
  });

  test.each([3, 4, 5])('of an avtale that is not to be seen, or is not there, gives nothing: %d', async (n) => {
    expect((await hent(n)).status).toBe(404);
  });
});

describe('hentUtdrag', () => {
  const utdrag = (body: Record<string, unknown>, som = 'alt'): Promise<Svar> =>
    api.kall('POST', '/api/v1/avtaler/utdrag', { body, som });

  test('gives the fields asked for, now and then', async () => {
    const felter = ['avtaleStatus', 'avtaleId'];
    expect((await utdrag({ felter, bedriftsnumre: ['910712330'] })).body).toEqual({
      avtaler: [{ avtaleId: id(1), avtaleStatus: 'AVSLUTTET' }],
    });
    expect((await utdrag({ felter: ['avtaleStatus'], gjeldendePer: dag(3) })).body.avtaler).toEqual([
      { avtaleStatus: 'GJENNOMFORES' },
    ]);
  });

  test('a page goes on from the cursor of the same fields', async () => {
    const foerste = await utdrag({ felter: ['avtaleId', 'versjon'], antall: 1 });
    const andre = await utdrag({ felter: ['versjon', 'avtaleId'], antall: 1, neste: foerste.body.neste });
    expect(numre(andre)).toEqual([2]);
    expect((await utdrag({ felter: ['avtaleId'], antall: 1, neste: foerste.body.neste })).status).toBe(400);
  });

  test('is audited with those fields and those persons', async () => {
    const hoder = { 'Nav-Call-Id': 'utdrag' };
    await api.kall('POST', '/api/v1/avtaler/utdrag', { body: { felter: ['startDato'] }, hoder });
    expect(await api.eier.query(`select felter, personer from oppslag where call_id = 'utdrag'`)).toEqual([
      { felter: ['startDato'], personer: [deltakerId(KARI)] },
    ]);
  });

  test.each([
    [{}, 'felter', 'must be an array'],
    [{ felter: [] }, 'felter', 'must contain at least 1 elements'],
    [{ felter: ['avtaleId', 'kontonummer'] }, 'felter', 'must be of avtaleId'],
    [{ felter: ['feilregistrert'] }, 'felter', 'must be of avtaleId'],
    [{ felter: ['avtaleId', 'avtaleId'] }, 'felter', 'must not name a field twice'],
  ])('%j is refused', async (body, felt, melding) => {
    const svar = await utdrag(body);
    expect(svar.status).toBe(400);
    expect(svar.body.feil).toContainEqual({ felt, melding: expect.stringContaining(melding) });
  });

  test('fields outside the grant are named', async () => {
    const svar = await utdrag({ felter: ['avtaleId', 'deltakerFnr', 'startDato'] }, 'faa-felter');
    expect([svar.status, svar.body.detail]).toEqual([
      403,
      'The operation hentUtdrag answers with fields that are not granted for behandlingsgrunnlag B0: deltakerFnr, startDato',
    ]);
    expect((await utdrag({ felter: ['avtaleId', 'tiltakstype'] }, 'faa-felter')).status).toBe(200);
  });
});

test('only the columns asked for are read, and what a page and the audit need', async () => {
  await api.kall('POST', '/api/v1/avtaler/utdrag', { body: { felter: ['stillingstype', 'versjon'] } });
  const tilsyn = new pg.Client({ connectionString: api.database.url });
  await tilsyn.connect();
  const { rows } = await tilsyn.query<{ kolonner: string }>(`
    select substring(query from 'select (.*) from avtale_synlig') as kolonner from pg_stat_activity
    where datname = current_database() and query like '%stillingstype%' and query not like '%bedrift_navn%' and pid <> pg_backend_pid()`);
  await tilsyn.end();
  expect(rows).toEqual([{ kolonner: 'versjon, stillingstype, avtale_id, deltaker_id' }]);
});

describe('an ETag', () => {
  const hent = (hoder: Record<string, string> = {}): Promise<Svar> =>
    api.kall('GET', `/api/v1/avtaler/${id(1)}`, { hoder });

  test('spares a caller what it has, until the avtale changes', async () => {
    const etag = (await hent()).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    for (const kjent of [etag, `W/${etag}`, `"noe annet", ${etag}`, '*']) {
      const svar = await hent({ 'If-None-Match': kjent, 'Nav-Call-Id': 'betinget' });
      expect([svar.status, svar.body, svar.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect(await api.eier.query(`select from oppslag where call_id = 'betinget'`)).toHaveLength(4);
    expect((await hent({ 'If-None-Match': '"noe annet"' })).status).toBe(200);
    await api.eier.query(`update avtale set versjon = 99 where avtale_id = $1`, [id(1)]);
    expect((await hent({ 'If-None-Match': etag })).status).toBe(200);
  });

  test('is given for a number too', async () => {
    await api.eier.query(`update avtale set avtale_nr = 7 where avtale_id = $1`, [id(1)]);
    const medNummer = (hoder = {}): Promise<Svar> => api.kall('GET', '/api/v1/avtaler/nummer/7', { hoder });
    const etag = (await medNummer()).headers.get('etag') ?? '';
    expect([(await hent()).headers.get('etag'), (await medNummer({ 'If-None-Match': etag })).status]).toEqual([
      etag,
      304,
    ]);
  });
});
