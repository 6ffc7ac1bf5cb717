import pg from 'pg';
import { waitUntil } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { toCef } from './cef.ts';
import { cefLines, readUsage, type Registry } from './oppslag.ts';

const ALL = { fra: '2000-01-01', til: '2999-12-31', konsument: null };
const PERSON = '1'.repeat(11);
const registry: Registry = [
  { navn: 'alt', behandlingsgrunnlag: [{ id: 'LOKAL', operasjoner: 'alle', felter: 'alle' }] },
  {
    navn: 'smal',
    behandlingsgrunnlag: [
      {
        id: 'LOKAL-SMAL',
        operasjoner: ['hentTiltaksstatus', 'hentUtdrag'],
        felter: ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato', 'bedriftNr'],
      },
      { id: 'GAMMEL', operasjoner: ['sokAvtaler'], felter: ['avtaleId'] },
    ],
  },
];

test('the audit of real look-ups, against what was granted', async () => {
  const system = await System.create({ partitions: 1 });
  const db = new pg.Client({ connectionString: system.url });
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi();
    const call = async (as: string, path: string, body: unknown): Promise<number> =>
      (
        await fetch(`${url}/api/v1/${path}`, {
          method: 'POST',
          headers: await system.as(as),
          body: JSON.stringify(body),
        })
      ).status;
    await waitUntil(async () => (await call('alt', 'avtaler/utdrag', { felter: ['versjon'] })) === 200, {
      what: 'the first load',
    });
    await db.connect();
    await db.query('delete from oppslag');
    await call('smal', 'personer/tiltaksstatus', { personidenter: [PERSON, '2'.repeat(11)] });
    await call('smal', 'personer/tiltaksstatus', { personidenter: [PERSON] });
    await call('smal', 'avtaler/sok', { personidenter: [PERSON] });
    await call('alt', 'avtaler/utdrag', { felter: ['versjon'] });

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
    expect(await readUsage(db, { ...ALL, til: '2000-01-02' }, [])).toEqual([]);
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
  } finally {
    await db.end();
    await system.stop();
  }
}, 60_000);

test('only the auditor can read the audit', async () => {
  const system = await System.create({ partitions: 1 });
  try {
    await system.startIngestor();
    const rows = await system.sql<{ hvem: string }>(
      `select distinct grantee as hvem from information_schema.role_table_grants
       where table_name = 'oppslag' and privilege_type = 'SELECT' and grantee like 'datadeling%'`,
    );
    expect(rows).toEqual([{ hvem: 'datadeling_revisor' }]);
  } finally {
    await system.stop();
  }
}, 60_000);

test('what would end a value early in a CEF line does not', () => {
  const auditReport = {
    tidspunkt: new Date(1_000),
    konsument: 'a=b|c',
    behandlingsgrunnlag: 'x\\y',
    operasjon: 'sok\nAvtaler',
    felter: ['a', 'b'],
    personer: ['p'],
    tillatt: true,
    call_id: 'k',
  };
  expect(toCef(auditReport, 'p')).toBe(
    'CEF:0|tiltak-datadeling|auditLog|1.0|audit:access|tiltak-datadeling oppslag|INFO|end=1000 suid=a\\=b|c duid=p sproc=k request=sok\\nAvtaler flexString1Label=Decision flexString1=Permit cs3Label=Behandlingsgrunnlag cs3=x\\\\y cs5Label=Felter cs5=a b',
  );
});
