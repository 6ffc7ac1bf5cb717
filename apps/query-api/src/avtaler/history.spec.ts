import { deltakerId, startTestApi, type TestResponse, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const KARI = '10000000001';
const OLA = '10000000002';
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const day = (n: number): string => `2026-01-${String(n).padStart(2, '0')}T10:00:00Z`;

/** A version as the ingestor stores it. */
async function version(n: number, learnt: string, fields: Record<string, unknown> = {}): Promise<void> {
  const row = {
    ...{ avtale_id: id(n), feilregistrert: false, sist_endret: learnt, kilde_partisjon: 0, kilde_offset: 0 },
    ...{ avtrykk: id(0), laert: learnt, deltaker_fnr: KARI, deltaker_id: deltakerId(KARI), ...fields },
  };
  const columns = Object.keys(row);
  await api.owner.query(
    `insert into avtale_versjon (${columns.join(', ')}) values (${columns.map((_, i) => `$${String(i + 1)}`).join(', ')})`,
    Object.values(row),
  );
  await api.owner.query(`
    update avtale_versjon v set ny_deltaker = v.deltaker_id is distinct from foer.deltaker_id,
      ny_bedrift = v.bedrift_nr is distinct from foer.bedrift_nr
    from avtale_versjon foer where foer.avtale_id = v.avtale_id
      and foer.lopenr = (select max(lopenr) from avtale_versjon f where f.avtale_id = v.avtale_id and f.lopenr < v.lopenr)`);
}

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  // 1 changes employer and status; 2 was wrongly registered for a while; 3 is so now; 4 is erased.
  await api.insertAvtale({ avtale_id: id(1), deltaker_fnr: KARI, bedrift_nr: '910712330', avtale_status: 'AVSLUTTET' });
  await version(1, day(1), { bedrift_nr: '910825518', avtale_status: 'PÅBEGYNT' });
  await version(1, day(3), { bedrift_nr: '910712330', avtale_status: 'GJENNOMFØRES' });
  await version(1, day(5), { bedrift_nr: '910712330', avtale_status: 'AVSLUTTET' });
  await api.insertAvtale({ avtale_id: id(2), deltaker_fnr: KARI });
  await version(2, day(1));
  await version(2, day(2), { feilregistrert: true });
  await version(2, day(4));
  await api.insertAvtale({ avtale_id: id(3), deltaker_fnr: KARI, feilregistrert: true });
  await version(3, day(1));
  await version(3, day(2), { feilregistrert: true });
  await api.insertAvtale({ avtale_id: id(4), slettet: 'SLETTEMERKET' });
  await version(4, day(1));
});
afterAll(() => api.stop());

const search = (body: Record<string, unknown>): Promise<TestResponse> =>
  api.call('POST', '/api/v1/avtaler/sok', { body });
const numbers = ({ body }: TestResponse): number[] =>
  body.avtaler.map(({ avtaleId }: { avtaleId: string }) => Number(avtaleId.slice(-12)));

describe('gjeldendePer', () => {
  test.each([
    ['before anything was known', '2025-12-31T00:00:00Z', {}, []],
    ['the moment it was learned', day(1), {}, [1, 2]],
    ['while one was wrongly registered', day(3), {}, [1]],
    ['after it was mended', day(4), {}, [1, 2]],
    ['by an employer of then', day(2), { bedriftsnumre: ['910825518'] }, [1]],
    ['by an employer of now', day(2), { bedriftsnumre: ['910712330'] }, []],
    ['by a status of then', day(4), { statuser: ['GJENNOMFORES'] }, [1]],
    ['by a status before then', day(4), { statuser: ['PAABEGYNT'] }, []],
    ['by person', day(4), { personidenter: [KARI] }, [1, 2]],
    ['with an offset', '2026-01-03T10:59:59+01:00', { bedriftsnumre: ['910825518'] }, [1]],
  ])('%s', async (_, gjeldendePer, filter, expected) => {
    expect(numbers(await search({ ...filter, gjeldendePer }))).toEqual(expected);
  });

  test('gives the content of then, page by page', async () => {
    const first = await search({ gjeldendePer: day(4), antall: 1 });
    expect(first.body.avtaler[0]).toMatchObject({ bedriftNr: '910712330', avtaleStatus: 'GJENNOMFORES' });
    const others = await search({ gjeldendePer: day(4), antall: 1, neste: first.body.neste });
    expect([numbers(others), others.body.neste]).toEqual([[2], undefined]);
    expect((await search({ gjeldendePer: day(5), antall: 1, neste: first.body.neste })).status).toBe(400);
  });

  test.each([
    ['3026-01-01T00:00:00Z', 'must not be in the future'],
    ['2026-01-01', 'must be a moment with offset, for instance 2026-01-31T10:00:00Z'],
  ])('%s is refused', async (gjeldendePer, message) => {
    expect((await search({ gjeldendePer })).body.feil).toEqual([{ felt: 'gjeldendePer', melding: message }]);
  });
});

describe('hentTiltaksstatus with gjeldendePer', () => {
  const tiltak = (avtale_status: string, endDate: string): Record<string, unknown> => ({
    ...{ deltaker_fnr: OLA, deltaker_id: deltakerId(OLA), avtale_inngaatt: day(1) },
    ...{ avtale_status, start_dato: '2026-01-01', slutt_dato: endDate },
  });
  const status = async (body: Record<string, unknown>): Promise<unknown[]> => {
    const response = await api.call('POST', '/api/v1/personer/tiltaksstatus', {
      body: { personidenter: [OLA], ...body },
    });
    return [response.body.dato, response.body.personer[0].til];
  };
  beforeAll(async () => {
    await api.insertAvtale({ avtale_id: id(8), ...tiltak('AVBRUTT', '2026-03-31') });
    await version(8, day(2), tiltak('GJENNOMFØRES', '2026-01-31'));
    await version(8, day(4), tiltak('GJENNOMFØRES', '2026-03-31'));
    await version(8, day(6), tiltak('AVBRUTT', '2026-03-31'));
  });
  afterAll(() => api.owner.query(`update avtale set feilregistrert = true where avtale_id = $1`, [id(8)]));

  test.each([
    ['before it was known', { gjeldendePer: day(1) }, ['2026-01-01', null]],
    ['as first known', { gjeldendePer: day(2) }, ['2026-01-02', '2026-01-31']],
    ['after it was prolonged', { gjeldendePer: day(4), dato: '2026-02-15' }, ['2026-02-15', '2026-03-31']],
    ['on a day it did not reach then', { gjeldendePer: day(3), dato: '2026-02-15' }, ['2026-02-15', null]],
    ['after it was aborted', { gjeldendePer: day(6) }, ['2026-01-06', null]],
    ['now', { dato: '2026-01-15' }, ['2026-01-15', null]],
    ['the day in Oslo', { gjeldendePer: '2026-01-02T23:30:00Z' }, ['2026-01-03', '2026-01-31']],
  ])('%s', async (_, body, expected) => expect(await status(body)).toEqual(expected));

  test('is refused for the future', async () => {
    const body = { personidenter: [OLA], gjeldendePer: '3026-01-01T00:00:00Z' };
    const response = await api.call('POST', '/api/v1/personer/tiltaksstatus', { body });
    expect([response.status, response.body.feil]).toEqual([
      400,
      [{ felt: 'gjeldendePer', melding: 'must not be in the future' }],
    ]);
  });
});

describe('hentVersjoner', () => {
  const get = (n: number, query = ''): Promise<TestResponse> =>
    api.call('GET', `/api/v1/avtaler/${id(n)}/versjoner${query}`);

  test('gives what was to be seen, oldest first, page by page', async () => {
    const first = await get(1, '?antall=2');
    const others = await get(1, `?antall=2&neste=${first.body.neste}`);
    const all = [...first.body.versjoner, ...others.body.versjoner];
    expect(all.map(({ laert: learnt, avtale }) => [learnt, avtale.avtaleStatus])).toEqual([
      [day(1), 'PAABEGYNT'],
      [day(3), 'GJENNOMFORES'],
      [day(5), 'AVSLUTTET'],
    ]);
    expect(others.body.neste).toBeUndefined();
    expect((await get(2)).body.versjoner.map(({ laert: learnt }: { laert: string }) => learnt)).toEqual([
      day(1),
      day(4),
    ]);
    expect((await get(2, `?neste=${first.body.neste}`)).status).toBe(400);
  });

  test('a cursor that is made up or changed is refused', async () => {
    const bytes = Buffer.from((await get(1, '?antall=1')).body.neste, 'base64url');
    const seal = bytes.subarray(0, 16);
    for (const sequenceNumber of ['9'.repeat(19), '-1', '1e3', '9'.repeat(18), '']) {
      const next = Buffer.concat([seal, Buffer.from(sequenceNumber)]).toString('base64url');
      expect((await get(1, `?neste=${next}`)).status).toBe(400);
    }
    expect((await get(1, `?neste=${bytes.toString('base64url')}`)).status).toBe(200);
  });

  test.each([3, 4, 5])('of an avtale that is not to be seen, or is not there, gives nothing: %d', async (n) => {
    expect((await get(n)).status).toBe(404);
  });
});

describe('hentUtdrag', () => {
  const utdrag = (body: Record<string, unknown>, as = 'alt'): Promise<TestResponse> =>
    api.call('POST', '/api/v1/avtaler/utdrag', { body, as });

  test('gives the fields asked for, now and then', async () => {
    const fields = ['avtaleStatus', 'avtaleId'];
    expect((await utdrag({ felter: fields, bedriftsnumre: ['910712330'] })).body).toEqual({
      avtaler: [{ avtaleId: id(1), avtaleStatus: 'AVSLUTTET' }],
    });
    expect((await utdrag({ felter: ['avtaleStatus'], gjeldendePer: day(3) })).body.avtaler).toEqual([
      { avtaleStatus: 'GJENNOMFORES' },
    ]);
  });

  test('a page goes on from the cursor of the same fields', async () => {
    const first = await utdrag({ felter: ['avtaleId', 'versjon'], antall: 1 });
    const others = await utdrag({ felter: ['versjon', 'avtaleId'], antall: 1, neste: first.body.neste });
    expect(numbers(others)).toEqual([2]);
    expect((await utdrag({ felter: ['avtaleId'], antall: 1, neste: first.body.neste })).status).toBe(400);
  });

  test('is audited with those fields and those persons', async () => {
    const headers = { 'Nav-Call-Id': 'utdrag' };
    await api.call('POST', '/api/v1/avtaler/utdrag', { body: { felter: ['startDato'] }, headers });
    expect(await api.owner.query(`select felter, personer from oppslag where call_id = 'utdrag'`)).toEqual([
      // The order is that of avtaleId, and a cursor holds one.
      { felter: ['startDato', 'avtaleId'], personer: [deltakerId(KARI)] },
    ]);
  });

  test.each([
    [{}, 'felter', 'is missing'],
    [{ felter: [] }, 'felter', 'must contain at least 1 elements'],
    [{ felter: ['avtaleId', 'kontonummer'] }, 'felter', 'must be of avtaleId'],
    [{ felter: ['feilregistrert'] }, 'felter', 'must be of avtaleId'],
    [{ felter: ['avtaleId', 'avtaleId'] }, 'felter', 'must not name a field twice'],
  ])('%j is refused', async (body, field, message) => {
    const response = await utdrag(body);
    expect(response.status).toBe(400);
    expect(response.body.feil).toContainEqual({ felt: field, melding: expect.stringContaining(message) });
  });

  test('fields outside the grant are named', async () => {
    const response = await utdrag({ felter: ['avtaleId', 'deltakerFnr', 'startDato'] }, 'faa-felter');
    expect([response.status, response.body.detail]).toEqual([
      403,
      'The operation hentUtdrag answers with fields that are not granted for behandlingsgrunnlag B0: deltakerFnr, startDato',
    ]);
    expect((await utdrag({ felter: ['avtaleId', 'tiltakstype'] }, 'faa-felter')).status).toBe(200);
  });
});

test('only the columns asked for are read, and what a page and the audit need', async () => {
  const utdrag = (fields: string[]): Promise<TestResponse> =>
    api.call('POST', '/api/v1/avtaler/utdrag', { body: { felter: fields } });
  await api.owner.query(`revoke select on avtale_synlig from datadeling_leser`);
  await api.owner.query(
    `grant select (versjon, stillingstype, avtale_id, deltaker_id) on avtale_synlig to datadeling_leser`,
  );
  try {
    expect((await utdrag(['stillingstype', 'versjon'])).status).toBe(200);
    expect((await utdrag(['stillingstype', 'bedriftNavn'])).status).not.toBe(200);
  } finally {
    await api.owner.query(`grant select on avtale_synlig to datadeling_leser`);
  }
});

describe('an ETag', () => {
  const get = (headers: Record<string, string> = {}): Promise<TestResponse> =>
    api.call('GET', `/api/v1/avtaler/${id(1)}`, { headers });

  test('spares a caller what it has, until the avtale changes', async () => {
    const etag = (await get()).headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
    for (const known of [etag, etag.slice(2), `"noe annet", ${etag}`, '*']) {
      const response = await get({ 'If-None-Match': known, 'Nav-Call-Id': 'betinget' });
      expect([response.status, response.body, response.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect(await api.owner.query(`select from oppslag where call_id = 'betinget'`)).toHaveLength(4);
    expect((await get({ 'If-None-Match': '"noe annet"' })).status).toBe(200);
    await api.owner.query(`update avtale set versjon = 99 where avtale_id = $1`, [id(1)]);
    expect((await get({ 'If-None-Match': etag })).status).toBe(200);
  });

  test('is given for a number too', async () => {
    await api.owner.query(`update avtale set avtale_nr = 7 where avtale_id = $1`, [id(1)]);
    const withNumber = (headers = {}): Promise<TestResponse> =>
      api.call('GET', '/api/v1/avtaler/nummer/7', { headers });
    const etag = (await withNumber()).headers.get('etag') ?? '';
    expect([(await get()).headers.get('etag'), (await withNumber({ 'If-None-Match': etag })).status]).toEqual([
      etag,
      304,
    ]);
  });
});
