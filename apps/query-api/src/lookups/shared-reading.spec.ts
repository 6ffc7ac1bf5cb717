import { randomUUID } from 'node:crypto';
import { LOCKS, syntheticFnr, syntheticOrgnr, waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import pg from 'pg';
import { GRANTABLE_FIELDS, STORED_FIELDS } from '@tiltak/avtale';
import type { Grant } from '../access/grant.ts';
import { AnswerMoment } from '../freshness/answer-moment.ts';
import { Cursors } from '../shared/cursor.ts';
import { AuditLog } from './audit-log.ts';
import { DenialLog } from './denial-log.ts';
import { Lookups } from './lookups.ts';
import { byIdQuery, byNumberQuery, searchQuery } from '../avtaler/avtaler.queries.ts';
import { WHOLE_AVTALE } from '../avtaler/avtaler.fields.ts';
import { QUERIES } from '../graphql/graphql.queries.ts';
import { tiltakQuery } from '../personer/personer.queries.ts';
import { deltakerId, startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';
import { Reader } from './reader.ts';
import type { Query } from './statement.ts';

/** Look-ups that share a statement are answered and audited as each is alone. */
let api: TestApi;
const PERSONS = Array.from({ length: 8 }, (_, n) => syntheticFnr(n));
const EMPLOYERS = [0, 1].map((n) => syntheticOrgnr(n));
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const AVTALER = 40;

beforeAll(async () => {
  // Two connections: what comes while these are busy is gathered.
  api = await startTestApi({ DB_POOL_SIZE: '2', DB_STATEMENT_TIMEOUT_MS: '20000' });
  for (let n = 0; n < AVTALER; n++) {
    await api.insertAvtale({
      avtale_id: id(n),
      avtale_nr: n,
      // The last person has none.
      deltaker_fnr: n % 11 === 0 ? null : PERSONS[n % (PERSONS.length - 1)],
      bedrift_nr: EMPLOYERS[n % 3] ?? null,
      tiltakstype: ['ARBEIDSTRENING', 'MENTOR', 'NYTT'][n % 3],
      avtale_status: ['GJENNOMFØRES', 'AVSLUTTET'][n % 2],
      start_dato: n % 5 === 0 ? null : `2026-0${String(1 + (n % 9))}-01`,
      slutt_dato: n % 4 === 0 ? null : '2027-01-01',
      avtale_inngaatt: n % 7 === 0 ? null : '2026-01-01T00:00:00Z',
      opphav: n % 6 === 0 ? 'ARENA' : null,
    });
  }
  await api.owner.query(`
    insert into relasjon (deltaker_id, fra, relasjon, til)
    select a.deltaker_id, a.avtale_id, 'samtidige', b.avtale_id
    from avtale a join avtale b using (deltaker_id) where a.avtale_nr < b.avtale_nr`);
  await api.owner.query(`
    insert into avtale_versjon (avtale_id, deltaker_fnr, deltaker_id, avtale_status, start_dato, feilregistrert,
      sist_endret, kilde_partisjon, kilde_offset, avtrykk, laert)
    select avtale_id, deltaker_fnr, deltaker_id, 'PÅBEGYNT', start_dato, false, sist_endret, 0, n, gen_random_uuid(),
      timestamptz '2026-02-01' + n * interval '1 day' from avtale, generate_series(1, 3) n`);
  // Two idents are one person's: whose is whose is a part of the statement.
  await api.owner.query('insert into personident (ident, deltaker_id) values ($1, $3), ($2, $3)', [
    ...PERSONS.slice(0, 2).map(deltakerId),
    deltakerId(PERSONS[0] ?? ''),
  ]);
  await api.insertChange(id(0));
});
afterAll(() => api.stop());

interface Asked {
  method: string;
  path: string;
  as: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** As the consumer, and of another purpose where it has two. */
const consumer = fc.constantFrom(
  ...Array.from({ length: 5 }, () => ({ as: 'alt', headers: {} })),
  { as: 'gammel', headers: {} },
  { as: 'uten-fase', headers: {} },
  { as: 'smal', headers: {} },
  { as: 'faa-felter', headers: {} },
  { as: 'gammel', headers: {} },
  { as: 'to-formal', headers: { behandlingsgrunnlag: 'B1' } },
);
const some = <T>(values: readonly T[], maxLength = 3): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength });
const idents = fc.oneof(
  { weight: 9, arbitrary: some([...PERSONS, syntheticFnr(99)]) },
  // So many go alone.
  { weight: 1, arbitrary: fc.constant(Array.from({ length: 25 }, (_, n) => syntheticFnr(n))) },
);
const moment = fc.constantFrom('2026-02-02T12:00:00Z', '2026-03-01T00:00:00Z');
const number = fc.nat(AVTALER + 1);

const filter = fc.record(
  {
    personidenter: idents,
    bedriftsnumre: some([...EMPLOYERS, 'x"\\{},\'', '0']),
    avtaleIder: some(Array.from({ length: 5 }, (_, n) => id(n * 9))),
    statuser: some(['GJENNOMFORES', 'AVSLUTTET', 'UKJENT']),
    tiltakstyper: some(['MENTOR', 'UKJENT']),
    faser: some(['PAAGAAR', 'AVSLUTTET', 'PLANLAGT']),
    periode: fc.constant({ fra: '2026-02-01', til: '2026-05-01' }),
    gjeldendePer: moment,
    antall: fc.constantFrom(1, 2, 100, 1000),
  },
  { requiredKeys: [] },
);
const post = (path: string, body: fc.Arbitrary<unknown>): fc.Arbitrary<Pick<Asked, 'method' | 'path' | 'body'>> =>
  body.map((given) => ({ method: 'POST', path, body: given }));
const get = (path: fc.Arbitrary<string>): fc.Arbitrary<Pick<Asked, 'method' | 'path'>> =>
  path.map((given) => ({ method: 'GET', path: `/api/v1/${given}` }));

const request = fc.oneof(
  post('/api/v1/avtaler/sok', filter),
  post(
    '/api/v1/avtaler/utdrag',
    fc.tuple(filter, some([...STORED_FIELDS], 4)).map(([given, fields]) => ({ ...given, felter: fields })),
  ),
  post(
    '/api/v1/personer/tiltaksstatus',
    fc
      .record(
        {
          personidenter: idents,
          felter: some(['avtaleId', 'bedriftNr', '_links']),
          tiltakstyper: some(['MENTOR', 'ARBEIDSTRENING']),
          gjeldendePer: moment,
          dato: fc.constant('2026-05-05'),
        },
        { requiredKeys: ['personidenter'] },
      )
      .filter(({ dato, gjeldendePer }) => dato === undefined || gjeldendePer === undefined),
  ),
  get(number.map((n) => `avtaler/${id(n)}`)),
  get(number.map((n) => `avtaler/nummer/${String(n)}`)),
  get(number.map((n) => `avtaler/${id(n)}/versjoner?antall=${String(1 + (n % 3))}`)),
  get(fc.constantFrom(...PERSONS).map((ident) => `deltakere/${deltakerId(ident)}/avtaler`)),
  get(fc.constantFrom(...EMPLOYERS).map((nr) => `bedrifter/${nr}/avtaler?antall=3`)),
  post(
    '/graphql',
    fc.tuple(fc.constantFrom(...PERSONS), fc.constantFrom(...EMPLOYERS), number).map(([ident, nr, avtaleNr]) => ({
      query: `{ a: avtalerForPerson(personnummer: "${ident}") { avtaleId deltakerFnr }
        b: avtalerForBedrift(organisasjonsnummer: "${nr}") { avtaleNr } c: avtale(avtaleNr: ${String(avtaleNr)}) { avtaleId } }`,
    })),
  ),
);
const asked: fc.Arbitrary<Asked> = fc.tuple(request, consumer).map(([what, who]) => ({ ...what, ...who }));

/** Eleven digits in a row could be an ident: the service gives such a request another id. */
const callId = (): string => randomUUID().replace(/\d{11}/, (digits) => `${digits.slice(0, -1)}a`);

const send = ({ method, path, as, headers, body }: Asked, more: Record<string, string>): Promise<TestResponse> =>
  api.call(method, path, { as, headers: { ...headers, ...more }, ...(body === undefined ? {} : { body }) });

/** What the audit has of a request, whichever order it found persons in; a refusal's comes just after its answer. */
async function auditOf(callIds: readonly string[]): Promise<unknown[]> {
  const rows = await waitUntil(
    async () => {
      const found = await api.owner.query<({ call_id: string; personer: string[] } & Record<string, unknown>)[]>(
        `select konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon,
           utvalg, avslag, antall_kall from oppslag where call_id = any($1)`,
        [callIds],
      );
      return found.length === callIds.length ? found : undefined;
    },
    { what: `a row for each of ${String(callIds.length)}` },
  );
  const byId = new Map(
    rows.map(({ call_id: callId, personer, ...row }) => [callId, { ...row, personer: personer.toSorted() }]),
  );
  return callIds.map((callId) => byId.get(callId));
}

test('before the first load is done nothing is answered, and so nothing audited', async () => {
  const response = await api.call('GET', `/api/v1/avtaler/${id(1)}`);
  expect([response.status, await api.audit(0)]).toEqual([503, []]);
  await api.setFreshness(new Date('2026-06-01T00:00:00Z'));
});

test('any mix of them at once: each is answered and audited as when it is read alone, in two steps', async () => {
  const { body: feed } = await api.call('GET', '/api/v1/endringer');
  const alone = { 'minst-posisjon': String(feed.posisjon) };
  let [requests, statements] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 2, maxLength: 25, size: 'max' }), async (once) => {
      const expected: TestResponse[] = [];
      const aloneIds = once.map(() => callId());
      for (const [i, one] of once.entries()) {
        expected.push(await send(one, { ...alone, 'nav-call-id': aloneIds[i] ?? '' }));
      }
      // Each three times, so that many are of the same kind.
      const all = [0, 1, 2].flatMap(() => [...once.keys()]);
      const ids = all.map(() => callId());
      const given = await Promise.all(
        all.map((which, i) => send(once[which] as Asked, { 'nav-call-id': ids[i] ?? '' })),
      );
      const plain = ({ status, headers, body }: TestResponse): unknown => {
        const { callId: _, neste, ...rest } = body as Record<string, unknown>;
        return [status, headers.get('data-oppdatert'), typeof neste, rest];
      };
      // A slow machine may not answer all of them in time: that is 503, and tells nothing.
      const inTime = all.flatMap((_, i) => (given[i]?.status === 503 ? [] : [i]));
      expect(inTime.map((i) => plain(given[i] as TestResponse))).toEqual(
        inTime.map((i) => plain(expected[all[i] ?? 0] as TestResponse)),
      );
      const audited = inTime.flatMap((i) => ([200, 403, 404].includes(given[i]?.status ?? 0) ? [i] : []));
      const linesAlone = await auditOf([...new Set(audited.map((i) => aloneIds[all[i] ?? 0] ?? ''))]);
      const lineOf = new Map([...new Set(audited.map((i) => all[i]))].map((which, n) => [which, linesAlone[n]]));
      expect(await auditOf(audited.map((i) => ids[i] ?? ''))).toEqual(audited.map((i) => lineOf.get(all[i])));
      const [counted] = await api.owner.query<{ requests: number; statements: number }[]>(
        `select count(*)::int as requests, count(distinct xmin::text)::int as statements from oppslagslinje
         where tillatt and coalesce(call_uuid::text, call_id) = any($1)`,
        [ids],
      );
      requests += counted?.requests ?? 0;
      statements += counted?.statements ?? 0;
    }),
    { numRuns: 12, endOnFailure: true },
  );
  expect(statements).toBeLessThan(requests * 0.9);
});

describe('of those that share a statement, one', () => {
  /** What befalls the statement that writes the line of this person. */
  const POISON = syntheticFnr(520);
  let pool: pg.Pool;
  beforeAll(() => {
    const { host, port, database, queryApi } = api.database;
    pool = new pg.Pool({ host, port, database, user: queryApi.username, password: queryApi.password, max: 2 });
    pool.on('error', () => undefined);
  });
  afterAll(() => pool.end());
  afterEach(() => api.owner.query('drop trigger if exists gift on oppslagslinje; drop function if exists gift()'));

  test.each([
    ['is refused by the database', `raise exception 'no'`],
    ['is ended by the limit of its time', `raise exception 'no' using errcode = 'query_canceled'`],
    ['ends the connection', 'perform pg_terminate_backend(pg_backend_pid())'],
  ])('%s: it is not answered, and the others are, each audited', async (_, harm) => {
    await api.owner.query(`
      create function gift() returns trigger language plpgsql security definer as $$ begin
        if new.person = '${deltakerId(POISON)}' then ${harm}; end if;
        return new;
      end $$;
      create trigger gift before insert on oppslagslinje for each row execute function gift()`);
    const reader = new Reader(pool, deltakerId, { maxWaiting: 100, maxWaitMs: 60_000, isAuditDatabase: true });
    const lookups = new Lookups(
      reader,
      new AuditLog(pool, deltakerId),
      new DenialLog(pool, deltakerId),
      new Cursors('0f'.repeat(32)),
    );
    const query = (): Query<pg.QueryResultRow> => byNumberQuery(404, WHOLE_AVTALE);
    const ask = (ident: string): Promise<number> =>
      lookups.answer(grant(), { fields: [], persons: [ident], query }, (rows) => rows.length);
    const runner = api.owner.createQueryRunner();
    await runner.startTransaction();
    await runner.query('lock table oppslagslinje in access exclusive mode');
    const all = Array.from({ length: 41 }, (__, n) => syntheticFnr(500 + n));
    const answers = Promise.allSettled(all.map(ask));
    // The first of them waits in the database, alone or with others, and all have asked by then.
    const locked = `select from ${LOCKS} where not granted and relation = 'oppslagslinje'::regclass`;
    await waitUntil(async () => (await runner.query(locked)).length > 0, { what: 'the first to wait', everyMs: 5 });
    await runner.rollbackTransaction();
    await runner.release();
    const answered = (await answers).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'not'));
    expect(answered).toEqual(all.map((ident) => (ident === POISON ? 'not' : 0)));
    const told = all.filter((ident) => ident !== POISON).map(deltakerId);
    const rows = await api.owner.query<{ person: string }[]>(
      `select distinct person from oppslagslinje where person = any($1) order by 1`,
      [[...told, deltakerId(POISON)]],
    );
    expect(rows.map(({ person }) => person)).toEqual(told.toSorted());
    await api.forgetAudit();
  });

  const grant = (): Grant => ({
    konsument: 'alt',
    behandlingsgrunnlag: 'B0',
    operation: 'hentAvtaleMedNummer',
    fields: new Set(GRANTABLE_FIELDS),
    dialect: 'ny',
    moment: new AnswerMoment(),
  });
});

test('a look-up has one plan for all values; all avtaler, in pages, have one for their own, on the same connections', async () => {
  const { host, port, database, queryApi } = api.database;
  const pool = new pg.Pool({ host, port, database, user: queryApi.username, password: queryApi.password, max: 1 });
  const reader = new Reader(pool, deltakerId, { maxWaiting: 10 });
  const page = { limit: 101 };
  const [ident = '', other = ''] = PERSONS;
  const keyed: Query<pg.QueryResultRow>[] = [
    tiltakQuery([ident], { fields: ['tiltakstype'], withLinks: false, gjeldendePer: undefined }),
    tiltakQuery(PERSONS, { fields: [], withLinks: true, gjeldendePer: '2026-03-01T00:00:00Z' }),
    searchQuery({ personidenter: [ident, other] }, WHOLE_AVTALE, page),
    searchQuery({ deltakerId: deltakerId(ident), faser: ['PAAGAAR'] }, WHOLE_AVTALE, page),
    searchQuery({ bedriftsnumre: [...EMPLOYERS] }, WHOLE_AVTALE, page),
    searchQuery({ bedriftsnumre: [...EMPLOYERS] }, WHOLE_AVTALE, { limit: 1001 }),
    searchQuery({ avtaleIder: [id(1), id(2)] }, WHOLE_AVTALE, { ...page, after: id(1) }),
    byIdQuery(id(1), WHOLE_AVTALE),
    byNumberQuery(1, WHOLE_AVTALE),
    QUERIES.gammel.search({ personidenter: [ident] }, ['avtaleId'], { limit: 101 }),
    QUERIES.gammel.byId(id(1), ['avtaleId']),
    searchQuery({ statuser: ['AVSLUTTET'], periode: { fra: '2026-01-01' } }, WHOLE_AVTALE, page),
  ];
  const broad = searchQuery({}, WHOLE_AVTALE, page);
  for (let i = 0; i < 3; i++) {
    for (const query of keyed) await reader.readShared(query, {});
    await reader.readShared(broad, {});
  }
  const { rows } = await pool.query<{ generic: number; custom: number; keyed: boolean }>(
    `select sum(generic_plans)::int as generic, sum(custom_plans)::int as custom,
       statement !~ 'from avtale_synlig\\s+order by' as keyed
     from pg_prepared_statements group by keyed order by keyed`,
  );
  expect(rows).toEqual([
    { generic: 0, custom: 3, keyed: false },
    { generic: 3 * keyed.length, custom: 0, keyed: true },
  ]);
  await pool.end();
});

test('through a pooler, which has no sessions, the database finds out by itself', async () => {
  const { host, port, database, queryApi } = api.database;
  const pool = new pg.Pool({ host, port, database, user: queryApi.username, password: queryApi.password, max: 1 });
  const reader = new Reader(pool, deltakerId, { maxWaiting: 10, isPooled: true });
  const query = searchQuery({ personidenter: PERSONS.slice(0, 1) }, WHOLE_AVTALE, { limit: 101 });
  for (let i = 0; i < 12; i++) await reader.readShared(query, {});
  const { rows } = await pool.query('select generic_plans::int as generic from pg_prepared_statements');
  expect(rows).toEqual([{ generic: 7 }]);
  await pool.end();
});
