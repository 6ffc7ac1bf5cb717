import pg from 'pg';
import { ventTil } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { tilCef } from './cef.ts';
import { cefLinjer, hentBruk, type Register } from './oppslag.ts';

const ALT = { fra: '2000-01-01', til: '2999-12-31', konsument: null };
const PERSON = '1'.repeat(11);
const register: Register = [
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
  const system = await System.lag({ partisjoner: 1 });
  const db = new pg.Client({ connectionString: system.url });
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi();
    const kall = async (som: string, sti: string, body: unknown): Promise<number> =>
      (
        await fetch(`${url}/api/v1/${sti}`, {
          method: 'POST',
          headers: await system.som(som),
          body: JSON.stringify(body),
        })
      ).status;
    await ventTil(async () => (await kall('alt', 'avtaler/utdrag', { felter: ['versjon'] })) === 200, {
      hva: 'the first load',
    });
    await db.connect();
    await db.query('delete from oppslag');
    await kall('smal', 'personer/tiltaksstatus', { personidenter: [PERSON, '2'.repeat(11)] });
    await kall('smal', 'personer/tiltaksstatus', { personidenter: [PERSON] });
    await kall('smal', 'avtaler/sok', { personidenter: [PERSON] });
    await kall('alt', 'avtaler/utdrag', { felter: ['versjon'] });

    const bruk = await hentBruk(db, ALT, register);
    const felter = ['avtaleStatus', 'sluttDato', 'startDato', 'tiltakstype'];
    expect(bruk).toEqual([
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
        brukteFelter: felter,
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
    expect(await hentBruk(db, { ...ALT, til: '2000-01-02' }, [])).toEqual([]);
    expect((await hentBruk(db, { ...ALT, konsument: 'alt' }, register)).map(({ konsument }) => konsument)).toEqual([
      'alt',
    ]);

    const linjer: string[] = [];
    for await (const linje of cefLinjer(db, ALT)) linjer.push(linje);
    expect(linjer).toHaveLength(4);
    expect(linjer.filter((linje) => linje.includes('flexString1=Deny'))).toHaveLength(1);
    for (const linje of linjer) {
      expect(linje).toMatch(
        /^CEF:0\|tiltak-datadeling\|auditLog\|1\.0\|audit:access\|tiltak-datadeling oppslag\|INFO\|end=\d{13} suid=smal duid=[0-9a-f-]{36} sproc=\S+ /,
      );
      expect(linje).not.toContain(PERSON);
    }
  } finally {
    await db.end();
    await system.stopp();
  }
}, 60_000);

test('only the auditor can read the audit', async () => {
  const system = await System.lag({ partisjoner: 1 });
  try {
    await system.startIngestor();
    const rader = await system.sql<{ hvem: string }>(
      `select distinct grantee as hvem from information_schema.role_table_grants
       where table_name = 'oppslag' and privilege_type = 'SELECT' and grantee like 'datadeling%'`,
    );
    expect(rader).toEqual([{ hvem: 'datadeling_revisor' }]);
  } finally {
    await system.stopp();
  }
}, 60_000);

test('what would end a value early in a CEF line does not', () => {
  const oppslag = {
    tidspunkt: new Date(1_000),
    konsument: 'a=b|c',
    behandlingsgrunnlag: 'x\\y',
    operasjon: 'sok\nAvtaler',
    felter: ['a', 'b'],
    personer: ['p'],
    tillatt: true,
    call_id: 'k',
  };
  expect(tilCef(oppslag, 'p')).toBe(
    'CEF:0|tiltak-datadeling|auditLog|1.0|audit:access|tiltak-datadeling oppslag|INFO|end=1000 suid=a\\=b|c duid=p sproc=k request=sok\\nAvtaler flexString1Label=Decision flexString1=Permit cs3Label=Behandlingsgrunnlag cs3=x\\\\y cs5Label=Felter cs5=a b',
  );
});
