import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { parse } from 'yaml';
import { ROT } from '@tiltak/testing';
import { lokalDatabase } from './lokal-database.ts';
import { tilCef, type Oppslag } from './cef.ts';

const BRUK = `Usage: npm run drift -- oppslag [--fra YYYY-MM-DD] [--til YYYY-MM-DD] [--konsument NAME] [--json|--cef]`;

interface Valg {
  /** first day, UTC, included */
  fra: string;
  /** last day, included */
  til: string;
  konsument: string | null;
}

/** What a consumer did for a purpose, and what it may see there. */
export interface Bruk {
  konsument: string;
  behandlingsgrunnlag: string | null;
  /** look-ups by operation */
  operasjoner: Record<string, number>;
  avslag: number;
  /** different participants */
  personer: number;
  /** asked for at least once */
  brukteFelter: string[];
  /** granted and never asked for: perhaps more than what is needed; null for what is not in the registry any more */
  ubrukteFelter: string[] | null;
  ubrukteOperasjoner: string[] | null;
}

/** `oppslag`: who looked up what, and what they were granted without using it. Exit code 2 when it can't be told. */
export async function oppslag(argumenter: string[]): Promise<number> {
  const valg = lesValg(argumenter);
  const database = process.env['DB_HOST'] ? process.env : lokalDatabase();
  if (!valg || !database) {
    console.error(valg ? 'Start the stack first (npm start), or set DB_*.' : BRUK);
    return 2;
  }
  const db = new pg.Client({
    host: database['DB_HOST'],
    port: Number(database['DB_PORT'] ?? 5432),
    database: database['DB_DATABASE'],
    user: database['DB_USERNAME'],
    password: database['DB_PASSWORD'],
    ssl: (database['DB_SSLMODE'] ?? 'disable') !== 'disable',
  });
  try {
    await db.connect();
    if (valg.form === 'cef') for await (const linje of cefLinjer(db, valg)) console.log(linje);
    else visBruk(await hentBruk(db, valg, lesRegister()), valg.form);
    return 0;
  } catch (feil) {
    console.error(`The audit could not be read: ${(feil as Error).message}`);
    return 2;
  } finally {
    await db.end();
  }
}

function lesValg(args: string[]): (Valg & { form: 'tekst' | 'json' | 'cef' }) | undefined {
  const dag = (tekst: string): boolean => /^\d{4}-\d\d-\d\d$/.test(tekst) && !Number.isNaN(Date.parse(tekst));
  try {
    const { values } = parseArgs({
      args,
      options: {
        fra: { type: 'string', default: '0001-01-01' },
        til: { type: 'string', default: '9999-12-31' },
        konsument: { type: 'string' },
        json: { type: 'boolean', default: false },
        cef: { type: 'boolean', default: false },
      },
    });
    const { fra, til, json, cef, konsument = null } = values;
    if (!dag(fra) || !dag(til) || til < fra || (json && cef)) return undefined;
    return { fra, til, konsument, form: cef ? 'cef' : json ? 'json' : 'tekst' };
  } catch {
    return undefined;
  }
}

const UTVALG = `tidspunkt >= $1::date and tidspunkt < $2::date + 1 and ($3::text is null or konsument = $3)`;

/** One line for each person in each look-up, oldest first; a thousand look-ups in memory at a time. */
export async function* cefLinjer(db: pg.Client, { fra, til, konsument }: Valg): AsyncGenerator<string> {
  let etter = '0';
  for (;;) {
    const { rows } = await db.query<Oppslag & { id: string }>(
      `select id, tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, personer, tillatt, call_id from oppslag
       where ${UTVALG} and id > $4 order by id limit 1000`,
      [fra, til, konsument, etter],
    );
    for (const rad of rows) for (const person of rad.personer) yield tilCef(rad, person);
    const siste = rows.at(-1);
    if (!siste) return;
    etter = siste.id;
  }
}

interface Grunnlag {
  id: string;
  operasjoner: string[] | 'alle';
  felter: string[] | 'alle';
}
export type Register = { navn: string; behandlingsgrunnlag: Grunnlag[] }[];

function lesRegister(): Register {
  const fil = process.env['KONSUMENTER_FIL'] ?? join(ROT, 'tools', 'lokal', 'konsumenter.yaml');
  return parse(readFileSync(fil, 'utf8')) as Register;
}

/** Counted by the database, so that it makes no difference how many there are. */
export async function hentBruk(db: pg.Client, { fra, til, konsument }: Valg, register: Register): Promise<Bruk[]> {
  const { rows } = await db.query<Omit<Bruk, 'ubrukteFelter' | 'ubrukteOperasjoner'>>(
    `with valgt as (select * from oppslag where ${UTVALG}),
     per_operasjon as (
       select konsument, behandlingsgrunnlag, operasjon, count(*) filter (where tillatt) as antall from valgt group by 1, 2, 3)
     select v.konsument, v.behandlingsgrunnlag,
       (select jsonb_object_agg(operasjon, antall) from per_operasjon o
        where o.konsument = v.konsument and o.behandlingsgrunnlag is not distinct from v.behandlingsgrunnlag
          and antall > 0) as operasjoner,
       count(*) filter (where not tillatt)::int as avslag,
       (select count(distinct person)::int from valgt p, unnest(p.personer) as person
        where p.konsument = v.konsument and p.behandlingsgrunnlag is not distinct from v.behandlingsgrunnlag) as personer,
       (select coalesce(array_agg(distinct felt order by felt), '{}') from valgt f, unnest(f.felter) as felt
        where f.tillatt and f.konsument = v.konsument
          and f.behandlingsgrunnlag is not distinct from v.behandlingsgrunnlag) as "brukteFelter"
     from valgt v group by 1, 2 order by 1, 2`,
    [fra, til, konsument],
  );
  const brukt = rows.map((rad) => medUbrukt({ ...rad, operasjoner: rad.operasjoner ?? {} }, register));
  return [...brukt, ...aldriBrukt(register, rows, konsument)];
}

function medUbrukt(bruk: Omit<Bruk, 'ubrukteFelter' | 'ubrukteOperasjoner'>, register: Register): Bruk {
  const grunnlag = register
    .find(({ navn }) => navn === bruk.konsument)
    ?.behandlingsgrunnlag.find(({ id }) => id === bruk.behandlingsgrunnlag);
  const ubrukt = (gitt: string[] | 'alle' | undefined, alle: () => string[], brukt: string[]): string[] | null =>
    gitt === undefined ? null : (gitt === 'alle' ? alle() : gitt).filter((navn) => !brukt.includes(navn));
  return {
    ...bruk,
    ubrukteFelter: ubrukt(grunnlag?.felter, alleFelter, bruk.brukteFelter),
    ubrukteOperasjoner: ubrukt(grunnlag?.operasjoner, alleOperasjoner, Object.keys(bruk.operasjoner)),
  };
}

interface Dokument {
  paths: Record<string, Record<string, { operationId: string }>>;
  components: { schemas: { Avtalefelt: { enum: string[] } } };
}

/** What «alle» stands for is said by the published document. */
const dokument = (): Dokument =>
  JSON.parse(readFileSync(join(ROT, 'apps', 'query-api', 'openapi.json'), 'utf8')) as Dokument;
const alleFelter = (): string[] => dokument().components.schemas.Avtalefelt.enum;
const alleOperasjoner = (): string[] => [
  ...Object.values(dokument().paths).flatMap((sti) => Object.values(sti).map(({ operationId }) => operationId)),
  'graphql',
];

/** Purposes in the registry that nothing was looked up for. */
function aldriBrukt(
  register: Register,
  brukt: { konsument: string; behandlingsgrunnlag: string | null }[],
  konsument: string | null,
): Bruk[] {
  return register
    .filter(({ navn }) => konsument === null || navn === konsument)
    .flatMap(({ navn, behandlingsgrunnlag }) =>
      behandlingsgrunnlag
        .filter(({ id }) => !brukt.some((rad) => rad.konsument === navn && rad.behandlingsgrunnlag === id))
        .map(({ id }) =>
          medUbrukt(
            { konsument: navn, behandlingsgrunnlag: id, operasjoner: {}, avslag: 0, personer: 0, brukteFelter: [] },
            register,
          ),
        ),
    );
}

function visBruk(bruk: Bruk[], form: string): void {
  if (form === 'json') {
    console.log(JSON.stringify(bruk, null, 2));
    return;
  }
  for (const rad of bruk) {
    const operasjoner = Object.entries(rad.operasjoner).map(([navn, antall]) => `${navn} ${String(antall)}`);
    console.log(`${rad.konsument} · ${rad.behandlingsgrunnlag ?? '(denied before a purpose was known)'}`);
    console.log(
      `  look-ups: ${operasjoner.join(', ') || 'none'}; denied: ${String(rad.avslag)}; persons: ${String(rad.personer)}`,
    );
    console.log(`  fields asked for: ${rad.brukteFelter.join(', ') || 'none'}`);
    const ubrukt = [...(rad.ubrukteFelter ?? []), ...(rad.ubrukteOperasjoner ?? [])];
    if (ubrukt.length > 0) console.log(`  granted and never used: ${ubrukt.join(', ')}`);
  }
}
