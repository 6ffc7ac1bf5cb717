import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { LOCKS, syntheticFnr, waitUntil } from '@tiltak/testing';
import { deltakerId, startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';
import { publishedOperations } from '../testing/published-operations.ts';
import { afterTransaction, decodePlace, encodePlace } from './subscription-place.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());
beforeEach(() =>
  api.owner.query('truncate avtale, avtale_versjon, relasjon, endring, avtale_endring, virksomhet, abonnement cascade'),
);

const FNR = syntheticFnr(1);
const ID = '00000000-0000-4000-8000-000000000001';
const PATH = '/api/v1/abonnementer/mine';

interface Options {
  as?: string;
  antall?: string;
  etter?: string;
  fra?: string;
  ventSekunder?: string;
}

async function follow({ as = 'alt', ...query }: Options = {}): Promise<TestResponse> {
  await api.feedSeen();
  return api.call('GET', `/api/v1/endringer?${new URLSearchParams({ abonnement: 'mine', ...query }).toString()}`, {
    as,
  });
}

const told = ({ body }: TestResponse): unknown[] =>
  (body.endringer as { avtaleId: string; type: string }[]).map(({ avtaleId, type }) => [avtaleId, type]);

async function insert(values: Record<string, unknown> = {}): Promise<void> {
  await api.insertAvtale({
    avtale_id: ID,
    deltaker_fnr: FNR,
    bedrift_nr: '910825518',
    tiltakstype: 'MENTOR',
    ...values,
  });
}

const put = (body: object, as = 'alt'): Promise<TestResponse> => api.call('PUT', PATH, { body, as });

test('a subscription is made, changed, told of and removed, and doing it twice changes nothing', async () => {
  const members = { personidenter: [FNR, syntheticFnr(2)], bedriftsnumre: ['910825518'], tiltakstyper: ['MENTOR'] };
  const made = await put(members);
  const counts = { antallPersonidenter: 2, antallAvtaler: 0, antallBedrifter: 1, antallTiltakstyper: 1 };
  expect(made).toMatchObject({ status: 200, body: { navn: 'mine', ...counts } });
  const rows = 'select abonnement, noekkel, ident, lagt_til, fjernet from abonnement_medlem order by noekkel, lagt_til';
  const before = await api.owner.query(rows);
  expect(await put(members)).toMatchObject({ status: 200, body: counts });
  expect(await api.owner.query(rows)).toEqual(before);
  expect(JSON.stringify(before)).not.toContain(FNR);
  const change = { leggTil: { avtaleIder: [ID] }, fjern: { personidenter: [FNR], bedriftsnumre: ['910825526'] } };
  const changed = { antallPersonidenter: 1, antallAvtaler: 1, antallBedrifter: 1 };
  for (let n = 0; n < 2; n++) {
    const response = await api.call('POST', `${PATH}/medlemmer`, { body: change });
    expect(response).toMatchObject({ status: 200, body: changed });
  }
  expect(await api.call('GET', PATH)).toMatchObject({ status: 200, body: changed });
  for (let n = 0; n < 2; n++) expect((await api.call('DELETE', PATH)).status).toBe(204);
  expect((await api.call('GET', PATH)).status).toBe(404);
  expect((await api.call('POST', `${PATH}/medlemmer`, { body: change })).status).toBe(404);
  expect((await follow()).status).toBe(404);
  expect(await api.owner.query('select from abonnement_medlem')).toEqual([]);
});

test('nothing is written for subscriptions before the first; that one waits for what is being written, and misses nothing', async () => {
  await api.owner.query('update abonnering set foelges = false');
  const written = (): Promise<unknown> => api.owner.query('select avtale_id from avtale_endring order by tx');
  await insert({ versjon: 1 });
  expect(await written()).toEqual([]);
  const writer = new pg.Client({ connectionString: api.database.url });
  await writer.connect();
  await writer.query('begin');
  await writer.query('update avtale set versjon = 2 where avtale_id = $1', [ID]);
  let made: TestResponse | undefined;
  const making = put({ personidenter: [FNR] }).then((response) => (made = response));
  const waits = `select count(*)::int as n from ${LOCKS} where locktype = 'advisory' and objid = 7220321 and not granted`;
  await waitUntil(async () => (await api.owner.query<{ n: number }[]>(waits))[0]?.n === 1, {
    what: 'the first subscription to wait',
    everyMs: 5,
  });
  // Others write meanwhile, and are not written down either.
  await insert({ avtale_id: ID.replace(/1$/, '2'), versjon: 1 });
  expect([made, await written()]).toEqual([undefined, []]);
  await writer.query('commit');
  await writer.end();
  expect((await making).status).toBe(200);
  const start = await follow();
  expect(start.body.endringer.map(({ avtale }: { avtale: { versjon: number } }) => avtale.versjon)).toEqual([2, 1]);
  await api.owner.query('update avtale set versjon = 3 where avtale_id = $1', [ID]);
  expect((await follow({ etter: start.body.posisjon })).body.endringer).toMatchObject([{ avtale: { versjon: 3 } }]);
});

test.each([
  [FNR, 400],
  [`bruker-${FNR}`, 400],
  [`${FNR.slice(0, 6)}-${FNR.slice(6)}`, 400],
  ['kontor-0219-2026', 200],
])('a name holds no ident, however it is written: %s', async (name, status) => {
  const response = await api.call('PUT', `/api/v1/abonnementer/${name}`, { body: { bedriftsnumre: ['910825518'] } });
  expect(response.status).toBe(status);
});

test('it belongs to the consumer and the purpose', async () => {
  await put({ personidenter: [FNR] });
  expect((await api.call('GET', PATH, { as: 'uten-fase' })).status).toBe(404);
  expect((await follow({ as: 'uten-fase' })).status).toBe(404);
  await api.call('DELETE', PATH, { as: 'uten-fase' });
  expect((await api.call('GET', PATH)).status).toBe(200);
});

test('members by a field that is not granted are refused, as in a search, also when the grant has lost it since', async () => {
  const refused = await put({ personidenter: [FNR] }, 'uten-person');
  expect(refused).toMatchObject({ status: 403, body: { detail: expect.stringContaining('deltakerFnr') } });
  expect(await put({ bedriftsnumre: ['910825518'] }, 'uten-person')).toMatchObject({ status: 200 });
  await insert();
  const { body } = await follow({ as: 'uten-person' });
  expect(body.endringer).toEqual([
    {
      avtaleId: ID,
      type: 'ENDRET',
      tidspunkt: expect.any(String),
      endret: ['avtaleId', 'bedriftNr', 'tiltakstype', 'avtaleStatus'],
      avtale: { avtaleId: ID, bedriftNr: '910825518', tiltakstype: 'MENTOR' },
      _links: { avtale: { href: `/api/v1/avtaler/${ID}` } },
    },
  ]);
  await api.owner.query(`update abonnement set slag = '{P}'`);
  for (const path of ['endringer', 'eksport']) {
    const since = await api.call('GET', `/api/v1/${path}?abonnement=mine`, { as: 'uten-person' });
    expect([path, since.status]).toEqual([path, 403]);
  }
});

/** Says that a unit is there, and what is right above it, as the writer of virksomheter does. */
async function place(unit: string, above: string | null): Promise<void> {
  await api.owner.query(
    `insert into virksomhet (organisasjonsnummer, overordnet_enhet, kilde_epoke, kilde_partisjon, kilde_offset)
     values ($1, $2, 0, 0, 0) on conflict (organisasjonsnummer) do update set overordnet_enhet = excluded.overordnet_enhet`,
    [unit, above],
  );
  await api.owner.query('select oppdater_hovedenheter(array[$1])', [unit]);
}

const CONCERN = '910712217';
const OTHER_CONCERN = '910712225';
const BETWEEN = '910700006';

test('by hovedenhet: what comes below it is told, what moves away is UTENFOR, at whatever level and before it is known', async () => {
  await insert();
  await place('910825518', BETWEEN);
  const made = await put({ hovedenheter: [CONCERN], bedriftsnumre: ['910825526'] });
  expect(made).toMatchObject({ status: 200, body: { antallHovedenheter: 1, antallBedrifter: 1 } });
  let { posisjon } = (await follow()).body as { posisjon: string };
  const next = async (): Promise<unknown[]> => {
    const answer = await follow({ etter: posisjon });
    ({ posisjon } = answer.body as { posisjon: string });
    return told(answer);
  };
  const waiting = follow({ etter: posisjon, ventSekunder: '20' });
  await place(BETWEEN, CONCERN);
  expect(told(await waiting)).toEqual([[ID, 'ENDRET']]);
  expect([await next(), await next()]).toEqual([[[ID, 'ENDRET']], []]);
  const exported = await api.call('GET', '/api/v1/eksport?abonnement=mine');
  expect(exported.body).toContain(ID);
  // It is there by two ways, and leaves with the last of them.
  await api.call('POST', `${PATH}/medlemmer`, { body: { leggTil: { bedriftsnumre: ['910825518'] } } });
  await place(BETWEEN, OTHER_CONCERN);
  expect(await next()).toEqual([]);
  const change = { leggTil: { hovedenheter: [OTHER_CONCERN] }, fjern: { bedriftsnumre: ['910825518'] } };
  expect(await api.call('POST', `${PATH}/medlemmer`, { body: change })).toMatchObject({
    body: { antallHovedenheter: 2, antallBedrifter: 1 },
  });
  expect(await next()).toEqual([]);
  await place(CONCERN, BETWEEN);
  await place(BETWEEN, CONCERN);
  expect(await next()).toEqual([[ID, 'UTENFOR']]);
  await put({ hovedenheter: [BETWEEN, OTHER_CONCERN] });
  await place(BETWEEN, null);
  expect(await next()).toEqual([[ID, 'ENDRET']]);
  expect((await put({})).body).toMatchObject({ antallHovedenheter: 0 });
  expect(await next()).toEqual([[ID, 'UTENFOR']]);
  expect(await api.owner.query('select from abonnement_medlem where fjernet is null')).toEqual([]);
});

test('by hovedenhet needs the field hovedenhet alone, and no position tells which establishment it was', async () => {
  const as = 'uten-bedrift';
  expect(await put({ hovedenheter: ['91071221'] })).toMatchObject({ status: 400 });
  const refused = await put({ hovedenheter: [CONCERN] }, 'uten-fase');
  expect(refused).toMatchObject({ status: 403, body: { detail: expect.stringContaining('hovedenhet') } });
  for (const n of [1, 2, 3]) {
    await insert({ avtale_id: ID.replace(/1$/, String(n)), bedrift_nr: `91082551${String(n)}` });
    await place(`91082551${String(n)}`, CONCERN);
  }
  const count = (await api.audit(0)).length;
  expect(await put({ hovedenheter: [CONCERN] }, as)).toMatchObject({ status: 200 });
  expect((await api.audit(count + 1)).at(-1)).toMatchObject({
    felter: ['hovedenhet'],
    utvalg: { abonnement: 'mine', medlemmer: { hovedenheter: 1 } },
  });
  const seenIds: string[] = [];
  let position: string | undefined;
  for (let isMore = true; isMore;) {
    const { body } = await follow({ as, antall: '1', ...(position !== undefined && { etter: position }) });
    seenIds.push(...body.endringer.map(({ avtaleId }: { avtaleId: string }) => avtaleId));
    position = String(body.posisjon);
    const parts = Buffer.from(position, 'base64url').toString().split('.');
    expect(parts.map((part) => Buffer.from(part, 'base64url').toString()).join(' ')).not.toContain('91082551');
    isMore = body.flere;
  }
  expect(seenIds).toHaveLength(3);
  await api.owner.query(`update abonnement set slag = '{B}'`);
  expect((await follow({ as })).status).toBe(403);
});

test('of members that are there by several ways, none is passed over', async () => {
  // As many of the first two hundred establishments, each by several hovedenheter, as one statement looks at.
  await put({});
  await api.owner.query(
    `insert into abonnement_medlem (abonnement, noekkel, hovedenhet)
     select id, 'B' || (910000000 + n), '9' || h from abonnement, generate_series(1, 300) n, generate_series(1, 5) h`,
  );
  await insert({ bedrift_nr: '910000300' });
  const [row] = await api.owner.query<{ tx: string }[]>(
    'select (min(lagt_til)::text::bigint - 1)::text as tx from abonnement_medlem',
  );
  const [state] = await api.owner.query<{ epoch: string; id: string }[]>(
    'select endringsepoke() as epoch, id from abonnement',
  );
  await api.owner.query('truncate avtale_endring');
  const before = encodePlace({ epoch: '', id: '', ...state, kinds: undefined }, afterTransaction(BigInt(row?.tx ?? 0)));
  const first = await follow({ etter: before });
  expect(told(first)).toEqual([[ID, 'ENDRET']]);
});

test('who registers whom, and who is told of, is in the audit', async () => {
  const count = (await api.audit(0)).length;
  await insert();
  await put({ personidenter: [FNR] });
  await follow();
  const [registered, answered] = (await api.audit(count + 2)).slice(count);
  expect(registered).toMatchObject({
    operasjon: 'lagreAbonnement',
    personer: [deltakerId(FNR)],
    felter: ['deltakerFnr'],
    utvalg: { abonnement: 'mine', medlemmer: { personidenter: 1 } },
  });
  expect(answered).toMatchObject({
    operasjon: 'hentEndringer',
    personer: [deltakerId(FNR)],
    antall_treff: 1,
    utvalg: { abonnement: 'mine' },
  });
});

test('no more than 200,000 members, and 1,000 subscriptions of one consumer', async () => {
  // With as many as that it takes the database long: the same function, where 20 and 3 are too many.
  const [row] = await api.owner.query<{ sql: string }[]>(
    `select pg_get_functiondef('lagre_abonnement'::regproc) as sql`,
  );
  const sql = row?.sql ?? '';
  expect(sql).toMatch(/>= 1000 [^]*> 200000/);
  await api.owner.query(
    sql.replaceAll('> 200000', '> 20').replace('limit 200001', 'limit 21').replace('>= 1000', '>= 3'),
  );
  const numbers = (n: number): string[] => Array.from({ length: n }, (_, i) => String(910_000_000 + i));
  expect(await put({ bedriftsnumre: numbers(20) })).toMatchObject({ status: 200 });
  const body = { leggTil: { avtaleIder: [ID] } };
  const tooMany = await api.call('POST', `${PATH}/medlemmer`, { body });
  expect(tooMany).toMatchObject({ status: 409, body: { detail: expect.stringContaining('200000 members') } });
  expect(await api.call('GET', PATH)).toMatchObject({ body: { antallBedrifter: 20, antallAvtaler: 0 } });
  const made = await Promise.all(
    ['en', 'to', 'tre'].map((name) => api.call('PUT', `/api/v1/abonnementer/${name}`, { body: {} })),
  );
  expect(made.map(({ status }) => status).sort()).toEqual([200, 200, 409]);
  expect((await put({})).status).toBe(200);
  for (const number of numbers(20)) await place(number, CONCERN);
  const body20 = { leggTil: { hovedenheter: [CONCERN] } };
  expect((await api.call('POST', `${PATH}/medlemmer`, { body: body20 })).status).toBe(409);
  await place('910000000', null);
  await put({ hovedenheter: ['910000001'] });
  // What comes later is nobody's to refuse.
  for (const number of numbers(20)) if (number !== '910000001') await place(number, '910000001');
  expect((await api.call('POST', `${PATH}/medlemmer`, { body: { leggTil: { bedriftsnumre: ['1'] } } })).status).toBe(
    200,
  );
  expect((await api.call('POST', `${PATH}/medlemmer`, { body: body20 })).status).toBe(409);
  await api.owner.query(sql);
});

test('who waits is woken by what is theirs, and by new members, and not by what is others', async () => {
  await put({ personidenter: [FNR] });
  const { posisjon: first } = (await follow({ fra: 'naa' })).body as { posisjon: string };
  const waiting = follow({ etter: first, ventSekunder: '20' });
  await insert({ avtale_id: randomUUID(), deltaker_fnr: syntheticFnr(5), bedrift_nr: '910825526' });
  await insert();
  expect(told(await waiting)).toEqual([[ID, 'ENDRET']]);
  const { posisjon: after } = (await waiting).body as { posisjon: string };
  const again = follow({ etter: after, ventSekunder: '20' });
  await api.call('POST', `${PATH}/medlemmer`, { body: { fjern: { personidenter: [FNR] } } });
  expect(told(await again)).toEqual([[ID, 'UTENFOR']]);
  // By another process.
  const { posisjon: last } = (await again).body as { posisjon: string };
  const third = follow({ etter: last, ventSekunder: '30' });
  await api.owner.query(
    `select lagre_abonnement(konsument, behandlingsgrunnlag, navn, false, null, array['A${ID}'], '{}') from abonnement`,
  );
  expect(told(await third)).toEqual([[ID, 'ENDRET']]);
}, 25_000);

/** Somebody holds this; until `work` is done with it. */
async function holding(lock: string, work: (db: pg.Client) => Promise<void>): Promise<void> {
  const db = new pg.Client({ connectionString: api.database.url });
  await db.connect();
  try {
    await db.query(`begin; select pg_advisory_xact_lock(${lock})`);
    await work(db);
  } finally {
    await db.end();
  }
}

async function waitForWaiting(count: number): Promise<void> {
  const waits = `select count(*)::int as n from ${LOCKS} where locktype = 'advisory' and not granted`;
  await waitUntil(async () => (await api.owner.query<{ n: number }[]>(waits))[0]?.n === count, {
    what: `${String(count)} to wait`,
    everyMs: 5,
  });
}

const idsOf = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `00000000-0000-4000-9000-${String(from + i).padStart(12, '0')}`);

async function membersNow(): Promise<string[]> {
  const sql = 'select substr(noekkel, 2) as id from abonnement_medlem where fjernet is null order by 1';
  return (await api.owner.query<{ id: string }[]>(sql)).map(({ id }) => id);
}

test('many members are written in portions, only those that differ, and come to exactly what was sent', async () => {
  expect(await put({ avtaleIder: idsOf(0, 4_500) })).toMatchObject({ status: 200, body: { antallAvtaler: 4_500 } });
  const portions = 'select count(*)::int as n from abonnement_medlem group by lagt_til order by lagt_til';
  expect(await api.owner.query(portions)).toEqual([{ n: 2_000 }, { n: 2_000 }, { n: 500 }]);
  await put({ avtaleIder: idsOf(2_400, 5_000) });
  expect(await membersNow()).toEqual(idsOf(2_400, 5_000));
  await api.call('POST', `${PATH}/medlemmer`, {
    body: { leggTil: { avtaleIder: idsOf(4_000, 6_000) }, fjern: { avtaleIder: idsOf(1_000, 5_000) } },
  });
  expect(await membersNow()).toEqual(idsOf(4_000, 6_000));
  expect(
    await api.owner.query(`select antall, antall_alle, slag, (select count(*)::int from abonnement_medlem) as alle,
      (select count(*)::int from abonnement_medlem where lagt_til = fjernet) as begge from abonnement`),
  ).toEqual([{ antall: 2_000, antall_alle: 6_000, slag: ['A'], alle: 6_000, begge: 0 }]);
});

test('a list that replaces is exact whoever changes it meanwhile, and no consumer has all connections', async () => {
  await put({ bedriftsnumre: ['910825518'] });
  await holding(`7220320, hashtext('alt')`, async (db) => {
    const both = [put({ bedriftsnumre: ['910825526'] }), put({ bedriftsnumre: ['910825534'] })];
    await waitForWaiting(1);
    expect((await put({ bedriftsnumre: ['910825518'] }, 'uten-fase')).status).toBe(200);
    await db.query(`update abonnement set utgave = utgave + 1 where konsument = 'alt';
      insert into abonnement_medlem (abonnement, noekkel) select id, 'B1' from abonnement where konsument = 'alt'; commit`);
    for (const one of both) expect((await one).status).toBe(200);
  });
  const rows = await api.owner.query<{ noekkel: string }[]>(
    `select noekkel from abonnement_medlem m join abonnement a on a.id = m.abonnement where konsument = 'alt' and fjernet is null`,
  );
  // Whichever of them came last.
  expect([['B910825526'], ['B910825534']]).toContainEqual(rows.map(({ noekkel }) => noekkel));
});

test('one is removed after who changes persons, and never against them', async () => {
  await put({ personidenter: [FNR] });
  await holding('7220319', async (db) => {
    const removal = api.call('DELETE', PATH);
    await waitForWaiting(1);
    await db.query(`update abonnement_medlem set fjernet = pg_current_xact_id(); commit`);
    expect((await removal).status).toBe(204);
  });
});

test('the audit of what leaves a subscription has whose it was there, and not whose it has become', async () => {
  await insert();
  await put({ personidenter: [FNR] });
  const { posisjon: start } = (await follow({ fra: 'naa' })).body as { posisjon: string };
  await api.owner.query('update avtale set deltaker_fnr = $2, deltaker_id = $3 where avtale_id = $1', [
    ...[ID, syntheticFnr(2)],
    deltakerId(syntheticFnr(2)),
  ]);
  const count = (await api.audit(0)).length;
  expect(told(await follow({ etter: start }))).toEqual([[ID, 'UTENFOR']]);
  const rows = await api.audit(count + 1);
  expect(rows.at(-1)).toMatchObject({ personer: [deltakerId(FNR)] });
});

test('a position is of the kinds that the purpose is held to, in whatever order', () => {
  const epoch = { epoch: 'e', id: 'i', kinds: ['VTAO', 'MENTOR'] };
  const position = encodePlace(epoch, afterTransaction(5n));
  expect(decodePlace({ ...epoch, kinds: ['MENTOR', 'VTAO'] }, position)).toEqual(afterTransaction(5n));
  expect(decodePlace({ ...epoch, kinds: ['MENTOR'] }, position)).toBeUndefined();
});

test('a position means something in its own subscription and epoch only', async () => {
  await put({ personidenter: [FNR] });
  const { posisjon: first } = (await follow({ fra: 'naa' })).body as { posisjon: string };
  const plain = (await api.call('GET', '/api/v1/endringer?fra=naa')).body as { posisjon: string };
  expect((await follow({ etter: plain.posisjon })).status).toBe(400);
  expect((await follow({ etter: first, fra: 'naa' })).status).toBe(400);
  await api.owner.query('update instans set epoke = gen_random_uuid()');
  const newStart = {
    eksport: '/api/v1/eksport?abonnement=mine',
    endringer: '/api/v1/endringer?abonnement=mine',
  };
  expect(await follow({ etter: first })).toMatchObject({ status: 410, body: { nyStart: newStart } });
  const { posisjon: later } = (await follow({ fra: 'naa' })).body as { posisjon: string };
  await api.call('DELETE', PATH);
  await put({ personidenter: [FNR] });
  expect((await follow({ etter: later })).status).toBe(410);
  const { posisjon: last } = (await follow({ fra: 'naa' })).body as { posisjon: string };
  await api.owner.query(`update instans set beskaaret_til = (pg_current_xact_id()::text::bigint + 100)::text::xid8`);
  expect((await follow({ etter: last })).status).toBe(410);
  await api.owner.query(`update instans set beskaaret_til = '0'`);
});

test('from now on, with one call: nothing that was, and all that comes', async () => {
  await api.insertChange(ID);
  await api.feedSeen();
  const now = await api.call('GET', '/api/v1/endringer?fra=naa&ventSekunder=30');
  expect(now).toMatchObject({ status: 200, body: { endringer: [], flere: false } });
  await api.insertChange(ID, 'SLETTET');
  await api.feedSeen();
  const next = await api.call('GET', `/api/v1/endringer?etter=${String(now.body.posisjon)}`);
  expect(told(next)).toEqual([[ID, 'SLETTET']]);
});

test('an export of a subscription goes on in its feed', async () => {
  await insert();
  await insert({ avtale_id: randomUUID(), deltaker_fnr: syntheticFnr(5), bedrift_nr: '910825526' });
  await put({ personidenter: [FNR], avtaleIder: [ID] });
  await api.feedSeen();
  const response = await api.call('GET', '/api/v1/eksport?abonnement=mine');
  expect(response.status).toBe(200);
  const [header, ...lines] = (response.body as string)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(header).toMatchObject({ antall: 1 });
  expect(lines.map(({ avtaleId }) => avtaleId)).toEqual([ID]);
  const first = String(header?.['posisjon']);
  expect(told(await follow({ etter: first }))).toEqual([]);
  await api.owner.query(`update avtale set avtale_status = 'AVSLUTTET' where avtale_id = $1`, [ID]);
  const next = await follow({ etter: first });
  expect(next.body.endringer).toMatchObject([
    { avtaleId: ID, endret: ['avtaleStatus'], avtale: { avtaleStatus: 'AVSLUTTET' } },
  ]);
  expect((await api.call('GET', '/api/v1/eksport?abonnement=finnes-ikke')).status).toBe(404);
});

test('a subscription that is only exported is in use', async () => {
  await put({ personidenter: [FNR] });
  await api.owner.query(`update abonnement set sist_brukt = now() - interval '89 days'`);
  expect((await api.call('GET', '/api/v1/eksport?abonnement=mine')).status).toBe(200);
  const isUsed = `select sist_brukt > now() - interval '1 day' as ok from abonnement`;
  await waitUntil(async () => (await api.owner.query<{ ok: boolean }[]>(isUsed))[0]?.ok === true, {
    what: 'the use to be told',
    everyMs: 5,
  });
});

describe('a purpose that is held to some kinds', () => {
  const OTHER = '00000000-0000-4000-8000-000000000002';
  const as = 'bare-mentor';

  test('is told of no others by any operation, or is refused', async () => {
    await insert();
    await insert({ avtale_id: OTHER, avtale_nr: 7, tiltakstype: 'VTAO' });
    await api.owner.query(
      `insert into avtale_versjon (avtale_id, tiltakstype, deltaker_fnr, feilregistrert, kilde_partisjon, kilde_offset)
       select avtale_id, tiltakstype, deltaker_fnr, false, 0, 0 from avtale`,
    );
    await api.owner.query(`insert into relasjon values ($1, $2, 'samtidige', $3), ($1, $3, 'samtidige', $2)`, [
      deltakerId(FNR),
      ID,
      OTHER,
    ]);
    await put({ personidenter: [FNR] }, as);
    await api.feedSeen();
    const operations = await publishedOperations(api, {
      ...{ navn: 'mine', avtaleId: OTHER, avtaleNr: 7, deltakerId: deltakerId(FNR) },
      ...{ bedriftNr: '910825518', organisasjonsnummer: '910825518' },
      ...{ personidenter: [FNR], felter: ['avtaleId', 'tiltakstype'], per: 'TILTAKSTYPE' },
      query: '{ avtalerForPerson(personnummer: "x") { avtaleId } }',
    });
    const answered: string[] = [];
    for (const { id, method, path, body } of operations) {
      if (id === 'slettAbonnement') continue;
      const whole = `${path}${id === 'hentEndringer' ? '?abonnement=mine' : ''}`;
      const response = await api.call(method, whole, { as, ...(body && { body }) });
      expect([id, JSON.stringify(response.body)]).toEqual([id, expect.not.stringContaining(OTHER)]);
      if (response.status === 200) answered.push(id);
      else expect([id, response.status]).toEqual([id, response.status === 404 ? 404 : 403]);
    }
    expect(answered).toEqual(
      expect.arrayContaining([
        'hentTiltaksstatus',
        'sokAvtaler',
        'hentDeltakersAvtaler',
        'hentEndringer',
        'eksporterAvtaler',
      ]),
    );
    expect((await api.call('GET', '/api/v1/endringer', { as })).status).toBe(403);
    const one = await api.call('GET', `/api/v1/avtaler/${ID}`, { as });
    expect(one).toMatchObject({ status: 200, body: { tiltakstype: 'MENTOR' } });
    expect(one.body._links.samtidige).toBeUndefined();
    expect((await api.call('GET', `/api/v1/avtaler/${ID}`)).body._links.samtidige).toHaveLength(1);
  });

  test('what was known then is answered as it was: an avtale that has become of another kind is no more', async () => {
    await insert({ tiltakstype: 'VTAO' });
    await api.owner.query(
      `insert into avtale_versjon (avtale_id, deltaker_fnr, deltaker_id, tiltakstype, laert, start_dato, avtale_inngaatt,
         har_vaert_inngaatt, feilregistrert, kilde_partisjon, kilde_offset)
       select $1, $2, $3, kind, laert::timestamptz, '2026-01-01', '2026-01-01', true, false, 0, 0
       from (values ('MENTOR', '2026-02-01'), ('VTAO', '2026-03-01')) v(kind, laert)`,
      [ID, FNR, deltakerId(FNR)],
    );
    const personidenter = [FNR];
    const count = (await api.audit(0)).length;
    for (const [gjeldendePer, hits] of [
      ['2026-02-15T00:00:00Z', 1],
      ['2026-03-15T00:00:00Z', 0],
    ] as const) {
      const found = await api.call('POST', '/api/v1/avtaler/sok', { as, body: { personidenter, gjeldendePer } });
      expect(found.body.avtaler).toHaveLength(hits);
      const status = { personidenter, gjeldendePer, dato: '2026-02-01' };
      const { body } = await api.call('POST', '/api/v1/personer/tiltaksstatus', { as, body: status });
      expect(body.personer).toMatchObject([{ svar: hits === 1 ? 'JA' : 'NEI' }]);
    }
    const searches = (await api.audit(count + 4)).slice(count).filter(({ operasjon }) => operasjon === 'sokAvtaler');
    expect(searches).toMatchObject([1, 1].map(() => ({ utvalg: { tiltakstyper: ['MENTOR'] } })));
  });

  test('is told when an avtale becomes of another kind', async () => {
    await insert();
    await put({ personidenter: [FNR] }, as);
    const first = await follow({ as });
    expect(told(first)).toEqual([[ID, 'ENDRET']]);
    await api.owner.query(`update avtale set tiltakstype = 'VTAO' where avtale_id = $1`, [ID]);
    expect(told(await follow({ as, etter: String(first.body.posisjon) }))).toEqual([[ID, 'UTENFOR']]);
  });
});
