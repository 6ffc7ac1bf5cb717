import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { stringify } from 'yaml';
import { Konsumenter, readKonsumenter } from '../access/konsumenter.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { auditReport, cefLines, readUsage } from './audit-report.ts';
import { toCef } from './cef.ts';

const ALL = { fra: '2000-01-01', til: '2999-12-31', konsument: null };
const PERSON = '1'.repeat(11);
const LINK = 'https://behandlingskatalog.example.no/';
const REGISTRY = [
  {
    navn: 'alt',
    azp: 'alt',
    behandlingsgrunnlag: [{ id: 'LOKAL', lenke: LINK, operasjoner: 'alle', felter: 'alle' }],
  },
  {
    navn: 'smal',
    azp: 'smal',
    behandlingsgrunnlag: [
      {
        id: 'LOKAL-SMAL',
        lenke: LINK,
        operasjoner: ['hentTiltaksstatus', 'hentUtdrag'],
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
  await db.query('delete from oppslag');
  expect([
    await call('smal', 'personer/tiltaksstatus', { personidenter: [PERSON, '2'.repeat(11)] }),
    await call('smal', 'personer/tiltaksstatus', { personidenter: [PERSON] }),
    await call('smal', 'avtaler/sok', { personidenter: [PERSON] }),
    await call('alt', 'avtaler/utdrag', { felter: ['versjon'] }),
  ]).toEqual([200, 200, 403, 200]);

  const usage = await readUsage(db, ALL, registry);
  const fields = ['avtaleStatus', 'sluttDato', 'startDato', 'tiltakstype'];
  expect(usage).toEqual([
    {
      konsument: 'alt',
      behandlingsgrunnlag: 'LOKAL',
      operasjoner: { hentUtdrag: 1 },
      avslag: 0,
      personer: 0,
      brukteFelter: ['versjon'],
      ubrukteFelter: expect.not.arrayContaining(['versjon']),
      ubrukteOperasjoner: expect.arrayContaining(['sokAvtaler', 'eksporterAvtaler', 'graphql']),
    },
    {
      konsument: 'smal',
      behandlingsgrunnlag: 'LOKAL-SMAL',
      operasjoner: { hentTiltaksstatus: 2 },
      avslag: 0,
      personer: 2,
      brukteFelter: fields,
      ubrukteFelter: ['bedriftNr'],
      ubrukteOperasjoner: ['hentUtdrag'],
    },
    {
      konsument: 'smal',
      behandlingsgrunnlag: null,
      operasjoner: {},
      avslag: 1,
      personer: 1,
      brukteFelter: [],
      ubrukteFelter: null,
      ubrukteOperasjoner: null,
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
  expect(lines).toHaveLength(4);
  expect(lines.filter((line) => line.includes('flexString1=Deny'))).toHaveLength(1);
  for (const line of lines) {
    expect(line).toMatch(
      /^CEF:0\|tiltak-datadeling\|auditLog\|1\.0\|audit:access\|tiltak-datadeling oppslag\|INFO\|end=\d{13} suid=smal duid=[0-9a-f-]{36} sproc=\S+ /,
    );
    expect(line).not.toContain(PERSON);
  }
}, 60_000);

test('only the auditor can read the audit', async () => {
  const { rows } = await db.query<{ hvem: string }>(
    `select distinct grantee as hvem from information_schema.role_table_grants
     where table_name = 'oppslag' and privilege_type = 'SELECT' and grantee like 'datadeling%'`,
  );
  expect(rows).toEqual([{ hvem: 'datadeling_revisor' }]);
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
