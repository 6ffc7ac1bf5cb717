import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const KARI = '1'.repeat(11);
const OLA = '2'.repeat(11);
const UKJENT = '3'.repeat(11);
const AVTALE = '00000000-0000-4000-8000-000000000001';

beforeAll(async () => {
  api = await startTestApi({ DB_STATEMENT_TIMEOUT_MS: '1000' });
  await api.setFreshness(new Date());
  await api.insertAvtale({ avtale_id: AVTALE, avtale_nr: 1, deltaker_fnr: KARI, bedrift_nr: '910825518' });
  await api.insertAvtale({ avtale_id: AVTALE.replace(/1$/, '2'), deltaker_fnr: OLA, bedrift_nr: '910825518' });
});
afterAll(() => api.stop());
beforeEach(() => api.forgetAudit());

const log = (): Promise<Record<string, unknown>[]> => api.owner.query('select * from oppslag order by id');

test.each([
  ['POST', '/api/v1/personer/tiltaksstatus', { personidenter: [KARI, UKJENT] }, 'hentTiltaksstatus', [KARI, UKJENT], 0],
  ['POST', '/api/v1/avtaler/sok', { personidenter: [KARI, UKJENT] }, 'sokAvtaler', [KARI, UKJENT], 1],
  ['POST', '/api/v1/avtaler/sok', { bedriftsnumre: ['910825518'] }, 'sokAvtaler', [KARI, OLA], 2],
  ['GET', `/api/v1/avtaler/${AVTALE}`, undefined, 'hentAvtale', [KARI], 1],
  ['GET', '/api/v1/avtaler/nummer/404', undefined, 'hentAvtaleMedNummer', [], 0],
  ['GET', `/api/v1/deltakere/${deltakerId(OLA)}/avtaler`, undefined, 'hentDeltakersAvtaler', [OLA], 1],
])('%s %s: who asked, why, and for whom', async (method, path, body, operation, personer, hitCount) => {
  await api.call(method, path, { ...(body ? { body } : {}), headers: { 'nav-call-id': 'kall-1' } });
  const [row, ...more] = await log();
  expect(more).toEqual([]);
  expect(row).toMatchObject({
    konsument: 'alt',
    behandlingsgrunnlag: 'B0',
    operasjon: operation,
    antall_treff: hitCount,
    tillatt: true,
    call_id: 'kall-1',
  });
  expect(new Set(row?.['personer'] as string[])).toEqual(new Set(personer.map(deltakerId)));
  expect(JSON.stringify(row)).not.toMatch(/\d{11}/);
});

test('a look-up that is denied is told of too', async () => {
  await api.call('POST', '/api/v1/avtaler/sok', { as: 'smal', body: { personidenter: [KARI, 'tull', 7] } });
  expect(await api.audit(1)).toMatchObject([
    { konsument: 'smal', operasjon: 'sokAvtaler', tillatt: false, antall_treff: null, personer: [deltakerId(KARI)] },
  ]);
});

test('so is one of a consumer that has not accepted the terms of use', async () => {
  await api.call('POST', '/api/v1/avtaler/sok', { as: 'uten-vilkaar', body: { personidenter: [KARI] } });
  expect(await api.audit(1)).toMatchObject([
    { konsument: 'uten-vilkaar', operasjon: 'sokAvtaler', tillatt: false, personer: [deltakerId(KARI)] },
  ]);
});

test('a request that is not valid looks nobody up', async () => {
  expect((await api.call('POST', '/api/v1/avtaler/sok', { body: { antall: 0 } })).status).toBe(400);
  expect(await log()).toEqual([]);
});

test('no data without audit: while the log is locked the answer is 503, and nothing but that', async () => {
  const runner = api.owner.createQueryRunner();
  await runner.startTransaction();
  await runner.query('lock table oppslag in access exclusive mode');
  const response = await api.call('GET', `/api/v1/avtaler/${AVTALE}`);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  expect(JSON.stringify(response.body)).not.toContain(AVTALE);
  await runner.rollbackTransaction();
  await runner.release();
  expect((await api.call('GET', `/api/v1/avtaler/${AVTALE}`)).status).toBe(200);
});

test('many at once are all written, each once', async () => {
  const ids = Array.from({ length: 200 }, (_, n) => `kall-${String(n)}`);
  const response = await Promise.all(
    ids.map((id) => api.call('GET', `/api/v1/avtaler/${AVTALE}`, { headers: { 'nav-call-id': id } })),
  );
  expect(new Set(response.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await log()).map((row) => row['call_id']).sort()).toEqual([...ids].sort());
});

test('the reader can write the audit, but for its number and its time, and see what is published, and nothing else', async () => {
  const { database } = api;
  const privileges = await api.owner.query<{ what: string }[]>(
    `select table_name || ' ' || privilege_type as what from information_schema.role_table_grants
     where grantee = 'datadeling_leser' and table_schema = 'public' order by 1`,
  );
  expect(privileges.map(({ what }) => what)).toEqual([
    'abonnement SELECT',
    'abonnement_medlem SELECT',
    'avtale_endring SELECT',
    'avtale_gammel_graphql SELECT',
    'avtale_synlig SELECT',
    'avtale_versjon_synlig SELECT',
    'endring SELECT',
    'instans SELECT',
    'konsum_hull SELECT',
    'konsum_offset SELECT',
    'konsum_status SELECT',
    'konsumentbruk SELECT',
    'konsumentbruk_tidsrom SELECT',
    'migrations SELECT',
    'partisjonering SELECT',
    'relasjon_synlig SELECT',
    'ressurs_status SELECT',
    'statistikk_synlig SELECT',
    'statistikk_tidspunkt SELECT',
    'versjon_bedrift SELECT',
    'versjon_deltaker SELECT',
    'virksomhet_endring SELECT',
    'virksomhet_synlig SELECT',
    'virksomhet_versjon_synlig SELECT',
  ]);
  const columns = await api.owner.query<{ what: string }[]>(
    `select distinct table_name || ' ' || privilege_type as what, array_agg(column_name::text order by column_name) as columns
     from information_schema.role_column_grants c
     where grantee = 'datadeling_leser' and table_schema = 'public' and not exists (
       select from information_schema.role_table_grants t
       where t.grantee = c.grantee and t.table_name = c.table_name and t.privilege_type = c.privilege_type)
     group by 1 order by 1`,
  );
  const content = [
    ...['antall_kall', 'antall_treff', 'avslag', 'behandlingsgrunnlag', 'call_id', 'felter', 'konsument', 'operasjon'],
    ...['personer', 'posisjon', 'tillatt', 'utvalg'],
  ];
  expect(columns).toEqual([
    { what: 'oppslag INSERT', columns: content },
    { what: 'oppslagslinje INSERT', columns: [...content, 'call_uuid', 'form', 'organisasjoner', 'person'].sort() },
  ]);
  expect(database.queryApi.username).not.toBe(database.ingestor.username);
});
