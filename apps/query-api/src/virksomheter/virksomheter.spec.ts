import { startTestApi, type TestApi } from '../testing/test-api.ts';

/** A parent, with a unit between and three establishments; and a sole trader who belongs to nobody. */
const PARENT = '910712217';
const BETWEEN = '910712330';
const ESTABLISHMENTS = ['910825518', '910825607', '910825755'] as const;
const ALONE = '981234567';
const AVTALER = ESTABLISHMENTS.map((_, n) => `00000000-0000-4000-8000-00000000000${String(n + 1)}`);
const ELSEWHERE = '00000000-0000-4000-8000-00000000000f';

let api: TestApi;

/** As the ingestor's writer does it. */
async function insert(nr: string, columns: Record<string, string | null> = {}): Promise<void> {
  const row = { organisasjonsnummer: nr, navn: `Enhet ${nr}`, sist_endret: '2026-02-04T08:46:39Z', ...columns };
  const names = Object.keys(row);
  await api.owner.query(
    `insert into virksomhet (${names.join(', ')}, kilde_epoke, kilde_partisjon, kilde_offset)
     values (${names.map((_, i) => `$${String(i + 1)}`).join(', ')}, 0, 0, 0)`,
    Object.values(row),
  );
}
const change = async (nr: string, type = 'ENDRET'): Promise<void> => {
  await api.owner.query('insert into virksomhet_endring (organisasjonsnummer, type, aarsak) values ($1, $2, $3)', [
    ...[nr, type, type === 'SLETTET' ? 'SLETTET' : null],
  ]);
  await api.feedSeen();
};

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  await insert(PARENT, { organisasjonsform: 'AS', naeringskode: '70.100' });
  await insert(BETWEEN, { organisasjonsform: 'ORGL', overordnet_enhet: PARENT, hovedenhet: PARENT });
  for (const [n, nr] of ESTABLISHMENTS.entries()) {
    await insert(nr, {
      ...{ organisasjonsform: 'BEDR', naeringskode: n === 0 ? '69.201' : '69.202', kommunenummer: '0301' },
      ...{ overordnet_enhet: n === 0 ? PARENT : BETWEEN, hovedenhet: PARENT },
    });
    await api.insertAvtale({ avtale_id: AVTALER[n] ?? '', avtale_nr: n, bedrift_nr: nr, tiltakstype: 'MENTOR' });
  }
  await insert(ALONE, { organisasjonsform: 'ENK', naeringskode: '69.201', kommunenummer: '4601' });
  await api.insertAvtale({ avtale_id: ELSEWHERE, avtale_nr: 9, bedrift_nr: ALONE, tiltakstype: 'MENTOR' });
});
afterAll(() => api.stop());

const idsOf = (body: { avtaler: { avtaleId: string }[] }): string[] => body.avtaler.map(({ avtaleId }) => avtaleId);
const search = async (body: object, as = 'alt'): Promise<string[]> => {
  const answer = await api.call('POST', '/api/v1/virksomheter/sok', { body, as });
  expect(answer.status).toBe(200);
  return answer.body.virksomheter.map((one: { organisasjonsnummer: string }) => one.organisasjonsnummer);
};

test('a parent with three establishments is asked for in one call, and leads to each of them and to its avtaler', async () => {
  const parent = await api.call('GET', `/api/v1/virksomheter/${PARENT}`);
  expect([parent.status, parent.headers.get('etag') !== null]).toEqual([200, true]);
  expect(parent.headers.get('data-oppdatert')).not.toBeNull();
  const { avtaler, enheter } = parent.body._links;
  const found = await api.call(avtaler.metode, avtaler.href, { body: avtaler.sporring });
  expect(idsOf(found.body)).toEqual(AVTALER);
  for (const [n, avtale] of found.body.avtaler.entries()) {
    expect([avtale.bedriftNr, avtale.hovedenhet]).toEqual([ESTABLISHMENTS[n], PARENT]);
    const unit = await api.call('GET', avtale._links.virksomhet.href);
    expect([unit.body.navn, unit.body.hovedenhet]).toEqual([`Enhet ${avtale.bedriftNr}`, PARENT]);
    expect(avtale._links.hovedenhet.href).toBe(`/api/v1/virksomheter/${PARENT}`);
  }
  const below = await api.call(enheter.metode, enheter.href, { body: enheter.sporring });
  expect(below.body.virksomheter.map((one: { organisasjonsnummer: string }) => one.organisasjonsnummer)).toEqual(
    [BETWEEN, ESTABLISHMENTS[0]].sort(),
  );
  const extract = { hovedenhet: BETWEEN, felter: ['avtaleId', 'hovedenhet'] };
  const some = await api.call('POST', '/api/v1/avtaler/utdrag', { body: extract });
  expect(some.body.avtaler).toEqual(AVTALER.slice(1).map((avtaleId) => ({ avtaleId, hovedenhet: PARENT })));
});

test('each filter finds those that match, in the order of the number, and pages add up', async () => {
  const all = [PARENT, BETWEEN, ...ESTABLISHMENTS, ALONE].sort();
  expect(await search({})).toEqual(all);
  expect(await search({ organisasjonsnumre: [ALONE, PARENT, '999999999'] })).toEqual([PARENT, ALONE]);
  expect(await search({ hovedenhet: BETWEEN })).toEqual([BETWEEN, ESTABLISHMENTS[1], ESTABLISHMENTS[2]].sort());
  expect(await search({ naeringskode: '69' })).toEqual([...ESTABLISHMENTS, ALONE]);
  expect(await search({ naeringskode: '69.201', kommunenummer: '0301' })).toEqual([ESTABLISHMENTS[0]]);
  expect(await search({ organisasjonsform: 'ENK' })).toEqual([ALONE]);
  for (const filter of [{}, { naeringskode: '6' }, { hovedenhet: PARENT }, { organisasjonsform: 'BEDR' }]) {
    const whole = await search(filter);
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const body: { virksomheter: { organisasjonsnummer: string }[]; neste?: string } = (
        await api.call('POST', '/api/v1/virksomheter/sok', {
          body: { ...filter, antall: 1, ...(next !== undefined && { neste: next }) },
        })
      ).body;
      seen.push(...body.virksomheter.map(({ organisasjonsnummer }) => organisasjonsnummer));
      next = body.neste;
    } while (next !== undefined);
    expect(seen).toEqual(whole);
  }
});

test('nothing of virksomheter, or of hovedenhet, is told to who is not granted it, by answer or by filter', async () => {
  // All operations and all fields of avtaler, and nothing of virksomheter.
  for (const path of [
    `/api/v1/virksomheter/${PARENT}`,
    '/api/v1/virksomheter/endringer',
    '/api/v1/virksomheter/eksport',
  ]) {
    const { status, body } = await api.call('GET', path, { as: 'graadig' });
    expect([path, status, body.detail]).toEqual([
      path,
      403,
      expect.stringContaining('virksomheter.organisasjonsnummer'),
    ]);
  }
  const few = await api.call('POST', '/api/v1/virksomheter/sok', {
    body: { naeringskode: '69' },
    as: 'virksomhet-smal',
  });
  expect([few.status, few.body.detail]).toEqual([403, expect.stringContaining('virksomheter.naeringskode')]);
  const named = await api.call('POST', '/api/v1/virksomheter/sok', {
    body: { felter: ['navn'] },
    as: 'virksomhet-smal',
  });
  expect(named.status).toBe(403);
  const [one] = (await api.call('POST', '/api/v1/virksomheter/sok', { body: {}, as: 'virksomhet-smal' })).body
    .virksomheter;
  expect(Object.keys(one)).toEqual(['organisasjonsnummer', 'organisasjonsform', '_links']);
  const old = await api.call('GET', `/api/v1/avtaler/${AVTALER[0] ?? ''}`, { as: 'uten-fase' });
  expect([old.status, 'hovedenhet' in old.body, Object.keys(old.body._links)]).toEqual([
    200,
    false,
    ['self', 'bedrift'],
  ]);
  const filtered = await api.call('POST', '/api/v1/avtaler/sok', { body: { hovedenhet: PARENT }, as: 'uten-fase' });
  expect([filtered.status, filtered.body.detail]).toEqual([403, expect.stringContaining('hovedenhet')]);
});

test('who looked at which virksomhet, and by what, is in the audit', async () => {
  await api.forgetAudit();
  await api.call('GET', `/api/v1/virksomheter/${ALONE}`);
  await search({ organisasjonsnumre: [ALONE], felter: ['navn'] });
  const rows = await api.audit(2);
  expect(rows.map(({ operasjon, utvalg, antall_treff: hits }) => [operasjon, utvalg, hits])).toEqual([
    ['hentVirksomhet', { organisasjonsnummer: ALONE }, 1],
    ['sokVirksomheter', { organisasjonsnumre: [ALONE] }, 1],
  ]);
  expect(rows[1]?.['felter']).toEqual(['virksomheter.organisasjonsnummer', 'virksomheter.navn']);
});

test('the feed and the export keep a copy: what changes after the export is told, and a position is of one feed', async () => {
  const lines = String((await api.call('GET', '/api/v1/virksomheter/eksport')).body)
    .trim()
    .split('\n');
  const [head, ...rows] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect([head?.['antall'], rows.length]).toEqual([6, 6]);
  const alone = rows.find(({ organisasjonsnummer: nr }) => nr === ALONE);
  const { _links, ...shown } = (await api.call('GET', `/api/v1/virksomheter/${ALONE}`)).body;
  expect(alone).toEqual(shown);
  await change(PARENT);
  await change(ALONE, 'SLETTET');
  const after = `etter=${String(head?.['posisjon'])}`;
  const { body } = await api.call('GET', `/api/v1/virksomheter/endringer?${after}`);
  expect(body.endringer).toMatchObject([
    { organisasjonsnummer: PARENT, type: 'ENDRET', _links: { virksomhet: { href: `/api/v1/virksomheter/${PARENT}` } } },
    { organisasjonsnummer: ALONE, type: 'SLETTET', aarsak: 'SLETTET', _links: {} },
  ]);
  expect(body.flere).toBe(false);
  const waiting = api.call('GET', `/api/v1/virksomheter/endringer?etter=${String(body.posisjon)}&ventSekunder=20`);
  await change(BETWEEN);
  expect((await waiting).body.endringer).toMatchObject([{ organisasjonsnummer: BETWEEN }]);
  expect((await api.call('GET', `/api/v1/endringer?${after}`)).status).toBe(410);
  const { posisjon } = (await api.call('GET', '/api/v1/endringer?fra=naa')).body;
  const wrong = await api.call('GET', `/api/v1/virksomheter/endringer?etter=${String(posisjon)}`);
  expect([wrong.status, wrong.body.nyStart.eksport]).toEqual([410, '/api/v1/virksomheter/eksport']);
  // What is cut off of the feed of avtaler is nothing of this one, nor the other way around.
  const cut = (horizons: string, where = 'true'): Promise<unknown> =>
    api.owner.query(`update ${horizons} set beskaaret_til = pg_snapshot_xmin(pg_current_snapshot()) where ${where}`);
  await cut('instans');
  expect((await api.call('GET', `/api/v1/virksomheter/endringer?${after}`)).status).toBe(200);
  await api.owner.query(`update instans set beskaaret_til = '0'`);
  await cut('partisjonering', `tabell = 'virksomhet_endring'`);
  expect((await api.call('GET', `/api/v1/virksomheter/endringer?${after}`)).status).toBe(410);
  expect((await api.call('GET', `/api/v1/endringer?etter=${String(posisjon)}`)).status).toBe(200);
  await api.owner.query(`update partisjonering set beskaaret_til = '0' where tabell = 'virksomhet_endring'`);
  // An answer holds what the feed told of.
  const headers = { 'minst-posisjon': String(body.posisjon) };
  expect((await api.call('GET', `/api/v1/virksomheter/${PARENT}`, { headers })).status).toBe(200);
});

const ABOUT_UNITS: [string, string, object?][] = [
  ['GET', `/api/v1/virksomheter/${PARENT}`],
  ['GET', '/api/v1/virksomheter/999999999'],
  ['POST', '/api/v1/virksomheter/sok', {}],
  ['POST', '/api/v1/virksomheter/sok', { hovedenhet: PARENT }],
  ['GET', '/api/v1/virksomheter/endringer'],
  ['GET', '/api/v1/virksomheter/eksport?felter=navn'],
];
const ABOUT_AVTALER: typeof ABOUT_UNITS = [
  ['POST', '/api/v1/avtaler/utdrag', { felter: ['avtaleId', 'bedriftNr'] }],
  ['GET', '/api/v1/eksport?felter=avtaleId'],
  ['GET', '/api/v1/endringer'],
  ['GET', '/api/v1/ferskhet'],
];
const ABOUT_BOTH: typeof ABOUT_UNITS = [
  ['GET', `/api/v1/avtaler/${ELSEWHERE}`],
  ['POST', '/api/v1/avtaler/utdrag', { felter: ['hovedenhet'] }],
  ['GET', '/api/v1/eksport?felter=hovedenhet'],
];
const SEARCHED_BY: typeof ABOUT_UNITS = [
  ['POST', '/api/v1/avtaler/sok', { hovedenhet: PARENT }],
  ['POST', '/api/v1/avtaler/utdrag', { hovedenhet: PARENT, felter: ['avtaleId'] }],
];

test('an answer is as old as what it is made of: virksomheter, avtaler, or the older of both', async () => {
  const [older, newer] = ['2026-03-01T10:00:00.000Z', '2026-03-02T10:00:00.000Z'];
  const setMoments = async (avtaler: string, units: string | null): Promise<void> => {
    await api.owner.query('update konsum_status set oppdatert_til = $1', [avtaler]);
    await api.owner.query('update ressurs_status set oppdatert_til = $1', [units]);
  };
  const asOf = (calls: typeof ABOUT_UNITS): Promise<unknown[]> =>
    Promise.all(
      calls.map(async ([method, path, body]) => {
        const { status, headers } = await api.call(method, path, body ? { body } : {});
        return status === 503 ? status : headers.get('data-oppdatert');
      }),
    );
  const all = (calls: typeof ABOUT_UNITS, value: unknown): unknown[] => calls.map(() => value);
  for (const [avtaler, units] of [
    [newer, older],
    [older, newer],
  ] as const) {
    await setMoments(avtaler, units);
    expect(await asOf(ABOUT_UNITS)).toEqual(all(ABOUT_UNITS, units));
    expect(await asOf(ABOUT_AVTALER)).toEqual(all(ABOUT_AVTALER, avtaler));
    expect(await asOf([...ABOUT_BOTH, ...SEARCHED_BY])).toEqual(all([...ABOUT_BOTH, ...SEARCHED_BY], older));
  }
  const told = async (): Promise<unknown> => (await api.call('GET', '/api/v1/ferskhet')).body.ressurser;
  const [{ topic } = { topic: '' }] = await api.owner.query<{ topic: string }[]>('select topic from ressurs_status');
  await api.owner.query(
    'insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset) values ($1,0,0,1,2)',
    [topic],
  );
  expect(await told()).toMatchObject([
    {
      ressurs: 'virksomheter',
      dataOppdatert: newer,
      partisjoner: [{ partisjon: 0, dataOppdatert: newer, hull: true }],
    },
  ]);
  await api.owner.query('truncate konsum_hull');

  // Before the first load of them is done, that one is not there would mean nothing; avtaler are answered all the same.
  await setMoments(newer, null);
  await api.forgetAudit();
  expect(await asOf([...ABOUT_UNITS, ...SEARCHED_BY])).toEqual(all([...ABOUT_UNITS, ...SEARCHED_BY], 503));
  expect(await api.owner.query('select from oppslagslinje')).toEqual([]);
  expect(await asOf([...ABOUT_AVTALER, ...ABOUT_BOTH])).toEqual(all([...ABOUT_AVTALER, ...ABOUT_BOTH], newer));
  const waiting = await api.call('GET', '/api/v1/virksomheter/endringer?ventSekunder=1');
  expect([waiting.status, waiting.body.detail]).toEqual([503, expect.stringContaining('load of virksomheter')]);

  // Where they have no topic it is the same.
  await api.owner.query('delete from ressurs_status');
  expect(await asOf([...ABOUT_UNITS, ...SEARCHED_BY])).toEqual(all([...ABOUT_UNITS, ...SEARCHED_BY], 503));
  expect(await asOf(ABOUT_BOTH)).toEqual(all(ABOUT_BOTH, newer));
  expect(await told()).toEqual([
    { ressurs: 'virksomheter', dataOppdatert: null, alderSekunder: null, partisjoner: [] },
  ]);
  await api.setFreshness(new Date());
});

test('the avtaler of an establishment follow when it moves: by the filter at once', async () => {
  await api.owner.query(`update virksomhet set overordnet_enhet = $1, hovedenhet = $1 where organisasjonsnummer = $2`, [
    ...[ALONE, ESTABLISHMENTS[2]],
  ]);
  const asked = async (hovedenhet: string): Promise<string[]> =>
    idsOf((await api.call('POST', '/api/v1/avtaler/sok', { body: { hovedenhet } })).body);
  expect([await asked(PARENT), await asked(ALONE)]).toEqual([AVTALER.slice(0, 2), [AVTALER[2], ELSEWHERE]]);
});
