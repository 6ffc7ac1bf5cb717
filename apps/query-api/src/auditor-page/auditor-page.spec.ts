import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, onDuty, syntheticFnr } from '@tiltak/testing';
import { readEnvironment } from '@tiltak/platform';
import pg from 'pg';
import { readKonsumenter } from '../access/konsumenter.ts';
import { REVISOR_SCHEMA } from '../config.ts';
import { Askers } from '../insight/askers.ts';
import { deltakerId, KEY, startTestApi, type TestApi } from '../testing/test-api.ts';
import { startAuditorPage } from './auditor-page.ts';
import { Tally } from './tally.ts';

const PERSON = syntheticFnr(3);
const GROUP = '00000000-0000-4000-8000-0000000000e1';
const ON_DUTY_GROUP = '00000000-0000-4000-8000-0000000000d1';
const REASON = 'Personen har bedt om innsyn i sak 12';
const AUDITOR = { ...onDuty(), roles: undefined, groups: [GROUP] };
const archive = mkdtempSync(join(tmpdir(), 'arkiv-'));

let api: TestApi;
let url: string;
let stop: () => Promise<void>;
let env: Record<string, string>;
let login: string;

async function asSuperuser(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: api.database.url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  const { host, port, database } = api.database;
  login = `${database}_revisor`;
  await asSuperuser(`create role ${login} login password 'x' in role datadeling_revisor;
    grant connect on database ${database} to ${login}`);
  env = {
    ...{ ORGANISASJON: 'nav', HOST: '127.0.0.1', LOG_LEVEL: 'fatal', NEDSTENGING_VENTETID_MS: '0' },
    ...{ DB_HOST: host, DB_PORT: String(port), DB_DATABASE: database, DB_USERNAME: login, DB_PASSWORD: 'x' },
    ...{ DELTAKER_ID_NOEKKEL: KEY, KONSUMENTER_FIL: api.registry },
    AZURE_APP_CLIENT_ID: 'tiltak-datadeling-revisor',
    AZURE_OPENID_CONFIG_ISSUER: api.issuer.issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: api.issuer.jwksUri,
    ...{ REVISOR_GRUPPER: GROUP, OPPSLAGSARKIV_KATALOG: archive },
  };
  ({ url, stop } = await start());
});
afterAll(async () => {
  await stop();
  await asSuperuser(`drop owned by ${login}; drop role ${login}`);
  await api.stop();
  rmSync(archive, { recursive: true });
});

async function start(more: Record<string, string> = {}): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = String(await freePort());
  const stop = await startAuditorPage(readEnvironment(REVISOR_SCHEMA, { ...env, PORT: port, ...more }));
  return { url: `http://127.0.0.1:${port}`, stop };
}

interface Asked {
  claims?: Record<string, unknown>;
  audience?: string;
  headers?: Record<string, string>;
  path?: string;
  at?: string;
}

async function ask(
  body: object,
  { claims = AUDITOR, audience, headers, path, at = url }: Asked = {},
): Promise<Response> {
  const token = await api.issuer.token({
    ...{ azp: 'tiltak-datadeling-revisor', claims },
    audience: audience ?? 'tiltak-datadeling-revisor',
  });
  return fetch(`${at}/revisor/v1/${path ?? 'oppslag'}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

const readings = (): Promise<Record<string, unknown>[]> =>
  api.owner.query('select hvem, hva, begrunnelse, person, call_id from oppslagsinnsyn order by id');

test.each<[string, Asked | null, number]>([
  ['nobody', null, 401],
  ['an auditor by group', {}, 200],
  ['an auditor by role', { claims: { ...onDuty(), roles: ['revisor'] } }, 200],
  ['a machine', { claims: {} }, 403],
  ['a machine with the role', { claims: { roles: ['revisor'] } }, 403],
  ['a machine in the group', { claims: { groups: [GROUP] } }, 403],
  ['somebody on duty, by role', { claims: onDuty() }, 403],
  ['somebody on duty, by group', { claims: { ...AUDITOR, groups: [ON_DUTY_GROUP] } }, 403],
  ['groups that are a text', { claims: { ...AUDITOR, groups: GROUP } }, 403],
  ['an auditor without a Nav ident', { claims: { ...AUDITOR, NAVident: undefined } }, 403],
  ['an auditor of another organisation', { audience: 'tiltak-datadeling-revisor-fylke' }, 401],
  ['a token for the query-api', { audience: 'tiltak-datadeling' }, 401],
  ['the page of another site', { headers: { 'sec-fetch-site': 'same-site' } }, 403],
])('%s asks', async (_who, asked, status) => {
  const before = (await readings()).length;
  const body = { person: PERSON, begrunnelse: REASON };
  for (const path of ['oppslag', 'innsyn']) {
    const given = path === 'innsyn' ? { ...body, form: 'JSON' } : body;
    const response = asked
      ? await ask(given, { ...asked, path })
      : await fetch(`${url}/revisor/v1/${path}`, { method: 'POST', body: JSON.stringify(given) });
    expect([path, response.status, response.headers.get('cache-control')]).toEqual([path, status, 'no-store']);
    expect(await response.text()).not.toContain(PERSON);
  }
  expect((await readings()).length - before).toBe(status === 200 ? 2 : 0);
});

test('without a group or role that is configured, nobody may', async () => {
  const alone = await start({ REVISOR_GRUPPER: '' });
  expect((await ask({ person: PERSON, begrunnelse: REASON }, { at: alone.url })).status).toBe(403);
  await alone.stop();
});

test('all but what is open by name needs a token', async () => {
  const open = ['/revisor', '/revisor/side/revisor.js', '/revisor/side/revisor.css', '/revisor/side/innlogging'];
  for (const path of [...open, '/revisor/stil/felles.css', '/openapi.json', '/internal/isready'])
    expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
  for (const path of ['/', '/revisor/', '/revisor/v1', '/revisor/v1/oppslag', '/api/v1/avtaler/sok'])
    expect([path, (await fetch(url + path)).status]).toEqual([path, 401]);
  const page = await fetch(`${url}/revisor`);
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(paths)).toEqual(['/revisor/v1/oppslag', '/revisor/v1/innsyn']);
});

const ASKED = { person: PERSON, begrunnelse: REASON };
test.each<[string, object, string[]]>([
  ['no reason', { person: PERSON }, ['begrunnelse']],
  ['blanks for a reason', { ...ASKED, begrunnelse: ' '.repeat(40) }, ['begrunnelse']],
  ['a short reason', { ...ASKED, begrunnelse: 'fordi' }, ['begrunnelse']],
  ['a long reason', { ...ASKED, begrunnelse: 'x'.repeat(1_001) }, ['begrunnelse']],
  ['a reason with an ident', { ...ASKED, begrunnelse: `Gjelder ${PERSON}` }, ['begrunnelse']],
  ['with one in two parts', { ...ASKED, begrunnelse: `Gjelder ${PERSON.replace(/^.{6}/, '$& ')}` }, ['begrunnelse']],
  ['no person', { begrunnelse: REASON }, ['person']],
  ['an ident with a letter', { ...ASKED, person: `${PERSON}a` }, ['person']],
  ['a day that is none', { ...ASKED, fra: '2026-02-30' }, ['fra']],
  ['days the wrong way', { ...ASKED, fra: '2026-02-02', til: '2026-02-01' }, ['til']],
  ['somebody else who asks', { ...ASKED, hvem: 'Z999999' }, ['hvem']],
])('%s is refused, and nothing is read', async (_what, body, fields) => {
  const before = (await readings()).length;
  const response = await ask(body);
  const text = await response.text();
  const { feil } = JSON.parse(text) as { feil: { felt: string }[] };
  expect([response.status, [...new Set(feil.map(({ felt }) => felt))]]).toEqual([400, fields]);
  expect(text).not.toContain(PERSON);
  expect((await readings()).length).toBe(before);
});

test('tells what the command tells, of exports too, and who asked by their token', async () => {
  await api.forgetAudit();
  await api.insertAvtale({ avtale_id: '00000000-0000-4000-8000-0000000000c1', deltaker_fnr: PERSON });
  const status = { body: { personidenter: [PERSON] } };
  for (let i = 0; i < 3; i++) await api.call('POST', '/api/v1/personer/tiltaksstatus', status);
  await api.call('POST', '/api/v1/avtaler/sok', { as: 'smal', body: { personidenter: [PERSON] } });
  await api.call('GET', '/api/v1/eksport');
  await api.audit(5);
  const byIdent = await ask(ASKED, { headers: { 'nav-call-id': 'min-id' } });
  const answer = (await byIdent.json()) as {
    deltakerId: string;
    antall: number;
    grupper: Record<string, unknown>[];
    oppslag: { operasjon: string; tidspunkt: string }[];
    ukjenteMaaneder: unknown[];
  };
  expect((await readings()).at(-1)).toEqual({
    ...{ hvem: onDuty()['NAVident'], hva: 'OPPSLAG_PERSON', begrunnelse: REASON },
    ...{ person: deltakerId(PERSON), call_id: 'min-id' },
  });
  expect(answer).toMatchObject({ deltakerId: deltakerId(PERSON), antall: 5, ukjenteMaaneder: [] });
  expect(
    answer.grupper
      .map(({ konsument, operasjon, hvordan, antall }) => [konsument, operasjon, hvordan, antall].join(' '))
      .sort(),
  ).toEqual(['alt eksporterAvtaler KAN_HA_FATT 1', 'alt hentTiltaksstatus FIKK 3', 'smal sokAvtaler AVSLAG 1']);
  const times = answer.oppslag.map(({ tidspunkt }) => tidspunkt);
  expect(times).toEqual([...times].sort().reverse());
  const byId = await ask({ ...ASKED, person: deltakerId(PERSON), konsument: 'smal' });
  expect(await byId.json()).toMatchObject({ antall: 1, oppslag: [{ operasjon: 'sokAvtaler' }] });
});

test('the last look-ups are told one by one, and all of them are counted', () => {
  const tally = new Tally(new Askers(readKonsumenter(api.registry)));
  const seen = { behandlingsgrunnlag: null, operasjon: 'sokAvtaler', felter: [], hvordan: 'FIKK' } as const;
  const more = { organisasjoner: [], utvalg: null, posisjon: null, antallTreff: 1 };
  for (let i = 0; i < 1_203; i++)
    tally.add({ ...seen, ...more, felter: [], konsument: 'k', callId: String(i), tidspunkt: new Date(i) });
  const { antall, oppslag, grupper } = tally.result();
  expect([antall, grupper[0]?.antall]).toEqual([1_203, 1_203]);
  expect(oppslag.map(({ callId }) => Number(callId))).toEqual(Array.from({ length: 500 }, (_, i) => 1_202 - i));
  const [day, last] = [new Date(2_000), new Date(3_000)];
  tally.add({
    ...seen,
    organisasjoner: ['310100005'],
    felter: [],
    konsument: 'k',
    tidspunkt: day,
    siste: last,
    antall: 7,
  });
  const withDay = tally.result();
  expect([withDay.antall, withDay.oppslag.length]).toEqual([1_210, 500]);
  expect(withDay.grupper[0]).toMatchObject({ organisasjoner: ['310100005'], antall: 7, siste: last.toISOString() });
});

test('the report is made of the same, as PDF and as JSON', async () => {
  const pdf = await ask({ ...ASKED, form: 'PDF' }, { path: 'innsyn' });
  expect([pdf.status, pdf.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  expect(
    Buffer.from(await pdf.arrayBuffer())
      .subarray(0, 5)
      .toString(),
  ).toBe('%PDF-');
  const json = await ask({ ...ASKED, form: 'JSON' }, { path: 'innsyn', headers: { accept: '*/*' } });
  expect(json.headers.get('content-disposition')).toBe('attachment; filename="innsyn.json"');
  expect(await json.json()).toMatchObject({ organisasjon: 'nav', sammendrag: { antall: { FIKK: 3 } } });
  expect((await readings()).slice(-2).map(({ hva }) => hva)).toEqual(['INNSYN_PDF', 'INNSYN_JSON']);
});

test('why is kept also when what was asked for can not be read, and months that are lacking are named', async () => {
  await api.owner.query(`insert into oppslagsarkiv (maaned, begrunnelse) values ('202411', 'Ingen oppslag før det')`);
  expect(await (await ask(ASKED)).json()).toMatchObject({ ukjenteMaaneder: [{ maaned: '202411', ogTidligere: true }] });
  await api.owner.query(
    `insert into oppslagsarkiv (maaned, rader, sha256) values ('202412', 1, repeat('a', 64)), ('202501', 1, repeat('a', 64))`,
  );
  const before = (await readings()).length;
  const lacking = await ask(ASKED);
  expect([lacking.status, await lacking.json()]).toEqual([
    409,
    expect.objectContaining({ detail: '202412, 202501 has left the database, and its file is not in the archive' }),
  ]);
  expect((await ask({ ...ASKED, fra: '2025-02-01' })).status).toBe(200);
  await api.owner.query('alter table oppslagslinje rename to borte');
  const broken = await ask({ ...ASKED, fra: '2025-02-01' });
  await api.owner.query('alter table borte rename to oppslagslinje');
  expect(broken.status).toBeGreaterThanOrEqual(500);
  expect((await readings()).length).toBe(before + 3);
});

test('nothing of a person stands in metrics, and a key that would find nobody is not started with', async () => {
  expect(await (await fetch(`${url}/internal/prometheus`)).text()).not.toContain(PERSON);
  await expect(start({ DELTAKER_ID_NOEKKEL: 'ee'.repeat(32) })).rejects.toThrow('DELTAKER_ID_NOEKKEL differs');
});
