import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { stringify } from 'yaml';
import { Konsumenter, readKonsumenter } from '../access/konsumenter.ts';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';
import { auditReport, cefLines, readUsage } from './audit-report.ts';
import { toCef } from './cef.ts';
import {
  BEGIN,
  BY_BITMAPS,
  BY_INDEXES,
  LOOKUPS,
  LOOKUPS_IN_SUM,
  NAMELESS_LINES,
  whoHasSeen,
  whoHasSeenInSum,
} from '../audit/who-has-seen.ts';

const ALL = { fra: '2000-01-01', til: '2999-12-31', konsument: null };
const PERSON = '1'.repeat(11);
const LINK = 'https://behandlingskatalog.example.no/';
const REGISTRY = [
  {
    navn: 'alt',
    azp: 'alt',
    bruksvilkaar: 2,
    behandlingsgrunnlag: [{ id: 'LOKAL', lenke: LINK, operasjoner: 'alle', felter: 'alle' }],
  },
  {
    navn: 'smal',
    azp: 'smal',
    bruksvilkaar: 2,
    behandlingsgrunnlag: [
      {
        id: 'LOKAL-SMAL',
        lenke: LINK,
        operasjoner: ['hentTiltaksstatus', 'hentUtdrag', 'hentFerskhet', 'hentDekning'],
        felter: ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato', 'bedriftNr'],
      },
      { id: 'GAMMEL', lenke: LINK, operasjoner: ['sokAvtaler'], felter: ['avtaleId'] },
    ],
  },
];
/** With GAMMEL as well, the consumer would have to say for which of them it asks. */
const SERVED = REGISTRY.map((konsument) => ({
  ...konsument,
  behandlingsgrunnlag: konsument.behandlingsgrunnlag.filter(({ id }) => id !== 'GAMMEL'),
}));

const directory = mkdtempSync(join(tmpdir(), 'oppslag-'));
const registryFile = (name: string, content: unknown): string => {
  writeFileSync(join(directory, name), stringify(content));
  return join(directory, name);
};

let api: TestApi;
let db: pg.Pool;
beforeAll(async () => {
  api = await startTestApi({ KONSUMENTER_FIL: registryFile('served.yaml', SERVED) });
  db = new pg.Pool({ connectionString: api.database.url });
});
afterAll(async () => {
  await db.end();
  await api.stop();
  rmSync(directory, { recursive: true });
});

test('the audit of real look-ups, against what was granted', async () => {
  const registry = readKonsumenter(registryFile('granted.yaml', REGISTRY));
  const call = async (as: string, path: string, body: unknown): Promise<number> =>
    (await api.call('POST', `/api/v1/${path}`, { as, body })).status;
  await api.setFreshness(new Date());
  await db.query('delete from oppslagslinje');
  expect([
    await call('smal', 'personer/tiltaksstatus', { personidenter: [PERSON, '2'.repeat(11)] }),
    await call('smal', 'personer/tiltaksstatus', { personidenter: [PERSON] }),
    await call('smal', 'avtaler/sok', { personidenter: [PERSON] }),
    await call('alt', 'avtaler/utdrag', { felter: ['versjon'] }),
  ]).toEqual([200, 200, 403, 200]);

  await api.audit(4);
  const usage = await readUsage(db, ALL, registry);
  const fields = ['avtaleStatus', 'sluttDato', 'startDato', 'tiltakstype'];
  expect(usage).toEqual([
    {
      konsument: 'alt',
      behandlingsgrunnlag: 'LOKAL',
      operasjoner: { hentUtdrag: 1 },
      avslag: 0,
      personer: 0,
      brukteFelter: ['avtaleId', 'versjon'],
      ubrukteFelter: expect.not.arrayContaining(['versjon']),
      ubrukteOperasjoner: expect.arrayContaining(['sokAvtaler', 'eksporterAvtaler', 'graphql']),
    },
    {
      konsument: 'smal',
      behandlingsgrunnlag: 'LOKAL-SMAL',
      operasjoner: { hentTiltaksstatus: 2 },
      avslag: 1,
      personer: 2,
      brukteFelter: fields,
      ubrukteFelter: ['bedriftNr'],
      ubrukteOperasjoner: ['hentUtdrag'],
    },
    {
      konsument: 'smal',
      behandlingsgrunnlag: 'GAMMEL',
      operasjoner: {},
      avslag: 0,
      personer: 0,
      brukteFelter: [],
      ubrukteFelter: ['avtaleId'],
      ubrukteOperasjoner: ['sokAvtaler'],
    },
  ]);
  expect(await readUsage(db, { ...ALL, til: '2000-01-02' }, new Konsumenter())).toEqual([]);
  expect((await readUsage(db, { ...ALL, konsument: 'alt' }, registry)).map(({ konsument }) => konsument)).toEqual([
    'alt',
  ]);

  const lines: string[] = [];
  for await (const line of cefLines(db, ALL)) lines.push(line);
  expect(lines).toHaveLength(5);
  expect(lines.filter((line) => line.includes('flexString1=Deny'))).toHaveLength(1);
  const [nameless, ...others] = lines.filter((line) => !line.includes('duid='));
  expect(others).toEqual([]);
  expect(nameless).toMatch(/ suid=alt .* request=hentUtdrag .* cs6Label=Utvalg cs6=alle cn1Label=Antall cn1=0 cnt=1$/);
  for (const line of lines) {
    expect(line).not.toContain(PERSON);
    if (line === nameless) continue;
    expect(line).toMatch(
      /^CEF:0\|tiltak-datadeling\|auditLog\|1\.0\|audit:access\|tiltak-datadeling oppslag\|INFO\|end=\d{13} suid=smal duid=[0-9a-f-]{36} sproc=\S+ /,
    );
  }
}, 60_000);

test('who has seen a person, also in what names nobody', async () => {
  const [id, other] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
  const get = async (path: string): Promise<{ posisjon: string }> =>
    (await api.call('GET', `/api/v1/${path}`, { as: 'alt', headers: { 'nav-call-id': path.replace(/\W.*/, '') } }))
      .body;
  await db.query('truncate oppslagslinje');
  // Before the person is here.
  await api.insertAvtale({ avtale_id: other });
  await get('eksport');
  await api.insertChange(other);
  const { posisjon: before } = await get('endringer');
  await api.insertAvtale({ avtale_id: id, deltaker_fnr: PERSON });
  await db.query(`insert into avtale_versjon (avtale_id, deltaker_id, feilregistrert, kilde_partisjon, kilde_offset, avtrykk)
    select avtale_id, deltaker_id, false, 0, 0, gen_random_uuid() from avtale where avtale_id = '${id}'`);
  await get('eksport');
  await api.insertChange(other);
  const { posisjon: withOther } = await get(`endringer?etter=${before}`);
  await api.insertChange(id);
  await get(`endringer?etter=${withOther}`);
  await db.query(`insert into statistikk values (1, 'STATUS', 'ALLE', '{GJENNOMFORES}', 7, 7, true)`);
  await db.query('insert into statistikk_tidspunkt (generasjon, tidspunkt) values (1, now())');
  await get('statistikk?per=STATUS');
  await api.call('POST', '/api/v1/avtaler/sok', { as: 'alt', body: {}, headers: { 'nav-call-id': 'sok' } });
  await api.call('POST', '/api/v1/avtaler/sok', { as: 'smal', body: { personidenter: [PERSON] } });
  await api.audit(8);

  // Virksomheter are nobody's.
  await db.query(`insert into oppslagslinje (form, antall_treff, tillatt, call_uuid, posisjon, utvalg)
    select oppslagsform_nr('alt', 'LOKAL', 'eksporterVirksomheter', '{navn}'), 9, true, gen_random_uuid(), 'p', '{"alle": true}'`);
  const seen: [string, string][] = [];
  for await (const row of whoHasSeen(db, deltakerId(PERSON), ALL)) seen.push([row.operasjon, row.hvordan]);
  for (const newest of [0, 1, 500]) {
    const inSum: string[] = [];
    for await (const { operasjon } of whoHasSeenInSum(db, deltakerId(PERSON), ALL, { newest })) inSum.push(operasjon);
    expect(inSum).toEqual(seen.map(([operation]) => operation));
  }
  expect(seen).toEqual([
    ['eksporterAvtaler', 'KAN_HA_FATT'],
    ['hentEndringer', 'KAN_HA_FATT'],
    ['hentStatistikk', 'KAN_HA_FATT'],
    ['sokAvtaler', 'FIKK'],
    ['sokAvtaler', 'AVSLAG'],
  ]);
  const nameless: string[] = [];
  await db.query(`delete from oppslagslinje where posisjon = 'p'`);
  for await (const row of cefLines(db, ALL)) if (!row.includes('duid=')) nameless.push(row.replace(/^.* cs6=/, ''));
  expect(nameless).toEqual([
    expect.stringMatching(/^alle cs2Label=Posisjon cs2=\S+ cn1Label=Antall cn1=1 cnt=1$/),
    expect.stringMatching(/^\{"etter":"\S+"\} cs2Label=Posisjon cs2=\S+ cn1Label=Antall cn1=1 cnt=1$/),
    expect.stringMatching(/^alle .* cn1=2 cnt=1$/),
    ...[1, 1].map((n) => expect.stringMatching(new RegExp(`^\\{"etter":.* cn1=${String(n)} cnt=1$`)) as string),
    expect.stringMatching(
      /^\{"per":\["STATUS"\],"tidspunkt":"\S+"\} cs2Label=Posisjon cs2=\S+ cn1Label=Antall cn1=1 cnt=1$/,
    ),
  ]);
  // Of somebody unknown here, nothing that names nobody is ruled out.
  const unknown = [];
  for await (const row of whoHasSeen(db, deltakerId('3'.repeat(11)), ALL)) unknown.push(row.hvordan);
  expect(unknown).toEqual(Array.from({ length: 6 }, () => 'KAN_HA_FATT'));
}, 60_000);

test('a page of a subscription names everybody that it tells of, and is held against nobody else', async () => {
  await db.query('truncate oppslagslinje');
  const other = '00000000-0000-4000-8000-000000000002';
  const path = 'abonnementer/andres';
  await api.call('PUT', `/api/v1/${path}`, { as: 'alt', body: { avtaleIder: [other] } });
  await api.feedSeen();
  const { body } = await api.call('GET', '/api/v1/endringer?abonnement=andres', { as: 'alt' });
  expect(body.endringer).toHaveLength(1);
  await api.call('GET', '/api/v1/eksport?abonnement=andres', { as: 'alt' });
  await api.audit(3);
  const seen: string[] = [];
  for await (const { operasjon } of whoHasSeen(db, deltakerId(PERSON), ALL)) seen.push(operasjon);
  expect(seen).toEqual(['eksporterAvtaler']);
}, 60_000);

test('who has seen a person is found by indexes, in an audit of any size', async () => {
  await db.query(`
    insert into oppslagslinje (form, person, personer, antall_treff, tillatt, call_uuid, posisjon)
    select (select oppslagsform_nr('alt', 'LOKAL', 'sokAvtaler', '{avtaleId}')), case when n % 100 > 0 then gen_random_uuid() end,
      case when n % 100 = 0 then array[gen_random_uuid(), gen_random_uuid()] end, 1, true, gen_random_uuid(),
      case when n % 1000 = 0 then 'p' end
    from generate_series(1, 30000) n`);
  await db.query(`select brin_summarize_new_values(indexrelid) from pg_index join pg_class c on c.oid = indexrelid
    where indrelid in (select partisjon from partisjoner_av('oppslagslinje')) and relam = (select oid from pg_am where amname = 'brin')`);
  await db.query('vacuum analyze oppslagslinje');
  const session = await db.connect();
  const planOf = async (text: string, values: unknown[], settings: string): Promise<string> => {
    await session.query(settings);
    const { rows } = await session.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  await session.query(BEGIN);
  const { fra, til } = ALL;
  const ofPerson = [fra, til, null, [deltakerId(PERSON)], [null]];
  const named = await planOf(LOOKUPS, ofPerson, BY_BITMAPS);
  const inSum = await planOf(LOOKUPS_IN_SUM, [...ofPerson, 500], BY_BITMAPS);
  expect(inSum.match(/Index Scan on \w+/g)).toEqual(named.match(/Index Scan on \w+/g));
  const plan = named + inSum + (await planOf(NAMELESS_LINES, [fra, til, null, '-infinity', []], BY_INDEXES));
  await session.query('rollback');
  session.release();
  expect(plan).not.toMatch(/Seq Scan on oppslagslinje/);
  for (const index of ['person', 'personer', 'uten_navn'])
    expect(plan).toMatch(new RegExp(`(on|using) oppslagslinje_\\d{6}_${index} `));
}, 60_000);

test('the auditor can find that out, and sees no more of an avtale than whose it is', async () => {
  const { rows } = await db.query<{ hva: string }>(
    `select distinct table_name || '.' || column_name as hva from information_schema.role_column_grants
     where grantee = 'datadeling_revisor' and table_name not like 'oppslag%' order by 1`,
  );
  expect(rows.map(({ hva }) => hva)).toEqual([
    'endring.avtale_id',
    'endring.lopenr',
    'endring.tidspunkt',
    'endring.tx',
    'innsyn_avtale.avtale_id',
    'innsyn_avtale.deltaker_id',
    'innsyn_avtale.forst_laert',
    // That the key is the database's own: another finds nobody.
    'instans.noekkelkontroll',
  ]);
});

test('only the auditor can read the audit', async () => {
  const { rows } = await db.query<{ what: string }>(
    `select distinct table_name || ' ' || grantee as what from information_schema.role_table_grants
     where table_name like 'oppslag%' and privilege_type = 'SELECT' and grantee like 'datadeling%' order by 1`,
  );
  const tables = ['oppslag', 'oppslagsarkiv', 'oppslagsform', 'oppslagsinnsyn', 'oppslagslinje'];
  expect(rows.map(({ what }) => what)).toEqual(tables.map((table) => `${table} datadeling_revisor`));
});

test('what would end a value early in a CEF line does not', () => {
  const row = {
    tidspunkt: new Date(1_000),
    konsument: 'a=b|c',
    behandlingsgrunnlag: 'x\\y',
    operasjon: 'sok\nAvtaler',
    felter: ['a', 'b'],
    personer: ['p'],
    tillatt: true,
    call_id: 'k',
    ...{ antall_treff: 1, utvalg: null, posisjon: null, avslag: null, antall_kall: 1 },
  };
  expect(toCef(row, 'p')).toBe(
    'CEF:0|tiltak-datadeling|auditLog|1.0|audit:access|tiltak-datadeling oppslag|INFO|end=1000 suid=a\\=b|c duid=p sproc=k request=sok\\nAvtaler flexString1Label=Decision flexString1=Permit cs3Label=Behandlingsgrunnlag cs3=x\\\\y cs5Label=Felter cs5=a b',
  );
});

test.each([
  ['--fra i-dag', '--fra must be a day, YYYY-MM-DD'],
  ['--til 2026-13-01', '--til must be a day, YYYY-MM-DD'],
  ['--fra 2026-01-02 --til 2026-01-01', '--til must not be before --fra'],
  ['--json --cef', 'Only one of --json and --cef can be given'],
  ['--ukjent', "Unknown option '--ukjent'"],
  ['--json', 'KONSUMENTER_FIL is missing'],
  ['--cef', 'DB_HOST is missing'],
])('oppslag %s: %s', async (line, message) => {
  await expect(auditReport.run(line.split(' '))).rejects.toThrow(message);
});
