import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { parse } from 'yaml';
import { ROOT } from '@tiltak/testing';
import { localDatabase } from './lokal-database.ts';
import { toCef, type AuditRow } from './cef.ts';

const USAGE = `Usage: npm run drift -- oppslag [--fra YYYY-MM-DD] [--til YYYY-MM-DD] [--konsument NAME] [--json|--cef]`;

interface Options {
  /** first day, UTC, included */
  fra: string;
  /** last day, included */
  til: string;
  konsument: string | null;
}

/** What a consumer did for a purpose, and what it may see there. */
export interface Usage {
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
export async function auditReport(args: string[]): Promise<number> {
  const options = readOptions(args);
  const database = process.env['DB_HOST'] ? process.env : localDatabase();
  if (!options || !database) {
    console.error(options ? 'Start the stack first (npm start), or set DB_*.' : USAGE);
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
    if (options.form === 'cef') for await (const line of cefLines(db, options)) console.log(line);
    else printUsage(await readUsage(db, options, readRegistry()), options.form);
    return 0;
  } catch (error) {
    console.error(`The audit could not be read: ${(error as Error).message}`);
    return 2;
  } finally {
    await db.end();
  }
}

function readOptions(args: string[]): (Options & { form: 'tekst' | 'json' | 'cef' }) | undefined {
  const day = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
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
    const { fra: from, til: to, json, cef, konsument = null } = values;
    if (!day(from) || !day(to) || to < from || (json && cef)) return undefined;
    return { fra: from, til: to, konsument, form: cef ? 'cef' : json ? 'json' : 'tekst' };
  } catch {
    return undefined;
  }
}

const SELECTION = `tidspunkt >= $1::date and tidspunkt < $2::date + 1 and ($3::text is null or konsument = $3)`;

/** One line for each person in each look-up, oldest first; a thousand look-ups in memory at a time. */
export async function* cefLines(db: pg.Client, { fra: from, til: to, konsument }: Options): AsyncGenerator<string> {
  let after = '0';
  for (;;) {
    const { rows } = await db.query<AuditRow & { id: string }>(
      `select id, tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, personer, tillatt, call_id from oppslag
       where ${SELECTION} and id > $4 order by id limit 1000`,
      [from, to, konsument, after],
    );
    for (const row of rows) for (const person of row.personer) yield toCef(row, person);
    const last = rows.at(-1);
    if (!last) return;
    after = last.id;
  }
}

interface Basis {
  id: string;
  operasjoner: string[] | 'alle';
  felter: string[] | 'alle';
}
export type Registry = { navn: string; behandlingsgrunnlag: Basis[] }[];

function readRegistry(): Registry {
  const file = process.env['KONSUMENTER_FIL'] ?? join(ROOT, 'tools', 'local', 'konsumenter.yaml');
  return parse(readFileSync(file, 'utf8')) as Registry;
}

/** Counted by the database, so that it makes no difference how many there are. */
export async function readUsage(
  db: pg.Client,
  { fra: from, til: to, konsument }: Options,
  registry: Registry,
): Promise<Usage[]> {
  const { rows } = await db.query<Omit<Usage, 'ubrukteFelter' | 'ubrukteOperasjoner'>>(
    `with valgt as (select * from oppslag where ${SELECTION}),
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
    [from, to, konsument],
  );
  const used = rows.map((row) => withUnused({ ...row, operasjoner: row.operasjoner ?? {} }, registry));
  return [...used, ...neverUsed(registry, rows, konsument)];
}

function withUnused(usage: Omit<Usage, 'ubrukteFelter' | 'ubrukteOperasjoner'>, registry: Registry): Usage {
  const basis = registry
    .find(({ navn: name }) => name === usage.konsument)
    ?.behandlingsgrunnlag.find(({ id }) => id === usage.behandlingsgrunnlag);
  const unused = (given: string[] | 'alle' | undefined, all: () => string[], used: string[]): string[] | null =>
    given === undefined ? null : (given === 'alle' ? all() : given).filter((name) => !used.includes(name));
  return {
    ...usage,
    ubrukteFelter: unused(basis?.felter, allFields, usage.brukteFelter),
    ubrukteOperasjoner: unused(basis?.operasjoner, allOperations, Object.keys(usage.operasjoner)),
  };
}

interface Document {
  paths: Record<string, Record<string, { operationId: string }>>;
  components: { schemas: { Avtalefelt: { enum: string[] } } };
}

/** What «alle» stands for is said by the published document. */
const document = (): Document =>
  JSON.parse(readFileSync(join(ROOT, 'apps', 'query-api', 'openapi.json'), 'utf8')) as Document;
const allFields = (): string[] => document().components.schemas.Avtalefelt.enum;
const allOperations = (): string[] => [
  ...Object.values(document().paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId)),
  'graphql',
];

/** Purposes in the registry that nothing was looked up for. */
function neverUsed(
  registry: Registry,
  used: { konsument: string; behandlingsgrunnlag: string | null }[],
  konsument: string | null,
): Usage[] {
  return registry
    .filter(({ navn: name }) => konsument === null || name === konsument)
    .flatMap(({ navn: name, behandlingsgrunnlag }) =>
      behandlingsgrunnlag
        .filter(({ id }) => !used.some((row) => row.konsument === name && row.behandlingsgrunnlag === id))
        .map(({ id }) =>
          withUnused(
            { konsument: name, behandlingsgrunnlag: id, operasjoner: {}, avslag: 0, personer: 0, brukteFelter: [] },
            registry,
          ),
        ),
    );
}

function printUsage(usage: Usage[], form: string): void {
  if (form === 'json') {
    console.log(JSON.stringify(usage, null, 2));
    return;
  }
  for (const row of usage) {
    const operations = Object.entries(row.operasjoner).map(([name, count]) => `${name} ${String(count)}`);
    console.log(`${row.konsument} · ${row.behandlingsgrunnlag ?? '(denied before a purpose was known)'}`);
    console.log(
      `  look-ups: ${operations.join(', ') || 'none'}; denied: ${String(row.avslag)}; persons: ${String(row.personer)}`,
    );
    console.log(`  fields asked for: ${row.brukteFelter.join(', ') || 'none'}`);
    const unused = [...(row.ubrukteFelter ?? []), ...(row.ubrukteOperasjoner ?? [])];
    if (unused.length > 0) console.log(`  granted and never used: ${unused.join(', ')}`);
  }
}
