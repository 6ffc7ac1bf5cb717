import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { UsageError, type Command } from '@tiltak/platform';
import type { Pool } from 'pg';
import { readKonsumenter, type Behandlingsgrunnlag, type Konsumenter } from '../access/konsumenter.ts';
import { NOT_AUDITED } from '../access/operations.ts';
import { Archive } from '../audit/archive.ts';
import { monthsOf, requireStillThere } from '../audit/months.ts';
import { FIRST, type Place } from '../audit/place.ts';
import { FIRST_DAY, LAST_DAY, readSeen } from '../audit/read-seen.ts';
import { SEEN, type SeenDto, type SeenInSum, type Selected } from '../audit/who-has-seen.ts';
import { readKonsumenterFile } from '../config.ts';
import { connectAsAuditor, readDays, readPerson, readReason } from './auditor.ts';
import { toCef, type AuditedLookup } from './cef.ts';

/** Who looked up what, and what they were granted without using it. */
export const auditReport: Command = {
  usage: `Usage: npm run drift -- oppslag [options], in the image node main.cjs oppslag [options]

Tells, for each consumer and purpose, what was looked up, and which of the granted fields and operations were never asked
for; or, with --person, who has seen a person. hentFerskhet, hentDekning and hentTilgang tell of no avtale and are not
audited, so they are never named. Reads DB_* of a login in datadeling_revisor, the only role that can read the audit, ORGANISASJON, and the
registry in KONSUMENTER_FIL.

  --fra YYYY-MM-DD  first day, UTC, included
  --til YYYY-MM-DD  last day, included
  --konsument NAME  only this consumer
  --person ID       who has seen this participant: the opaque id (deltakerId), or - to read a national ident from standard
                    input, which needs DELTAKER_ID_NOEKKEL. Also what names nobody (exports, changes, statistics) and may
                    have held the person
  --begrunnelse T   with --person: why the audit is read, 10 to 1,000 characters, which is audited before anything is shown
  --arkiv DIR       with --person and --cef: also the months that are in files there, and not in the database any more
  --json            as JSON; with --person, each look-up that names nobody by itself, and not those of a day together
  --cef             a line in Common Event Format for each person looked up, and for each look-up that names nobody,
                    without the registry

Exit code: 0, or 2 when it could not be told.
`,
  run: async (args) => {
    const options = readOptions(args);
    const reason = options.person === undefined ? '' : readReason(options.begrunnelse);
    const person = options.person === undefined ? undefined : await readPerson(options.person);
    // Before the database is asked: a registry that is wrong is known at once.
    const konsumenter =
      options.form === 'cef' || person !== undefined ? undefined : readKonsumenter(readKonsumenterFile());
    const { db, organisasjon } = connectAsAuditor();
    try {
      const archive = options.arkiv === undefined ? undefined : new Archive(options.arkiv, organisasjon);
      if (person !== undefined) {
        const { fra, til, konsument } = options;
        const reading = { who: userInfo().username, what: 'OPPSLAG_PERSON', reason, person, fra, til } as const;
        const { lost, each, byDay } = await readSeen(db, reading, { konsument, archive });
        for (const { maaned } of lost) process.stderr.write(`${maaned} is not told of: it went without a file\n`);
        if (options.form === 'json') await printEach(each());
        else await printSeen(byDay());
      } else if (konsumenter) printUsage(await readUsage(db, options, konsumenter), options.form);
      else for await (const line of cefLines(db, options, archive)) write(line);
      return 0;
    } finally {
      await db.end();
    }
  },
};

/** What a consumer did for a purpose, and what it may see there: as `--json` prints it. */
export interface UsageDto {
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

interface Options extends Selected {
  form: 'text' | 'json' | 'cef';
  person: string | undefined;
  begrunnelse: string | undefined;
  arkiv: string | undefined;
}

/** @throws UsageError */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      fra: { type: 'string', default: FIRST_DAY },
      til: { type: 'string', default: LAST_DAY },
      konsument: { type: 'string' },
      person: { type: 'string' },
      begrunnelse: { type: 'string' },
      arkiv: { type: 'string' },
      json: { type: 'boolean', default: false },
      cef: { type: 'boolean', default: false },
    },
  });
  const { json, cef, person, begrunnelse, arkiv, konsument = null } = values;
  const days = readDays(values.fra, values.til);
  if (json && cef) throw new UsageError('Only one of --json and --cef can be given');
  if (cef && person !== undefined) throw new UsageError('Only one of --cef and --person can be given');
  if (arkiv !== undefined && !cef && person === undefined)
    throw new UsageError(
      '--arkiv goes with --person or --cef: what was granted is compared with what is in the database',
    );
  return { ...days, konsument, person, begrunnelse, arkiv, form: cef ? 'cef' : json ? 'json' : 'text' };
}

const SELECTION = `tidspunkt >= $1::date and tidspunkt < $2::date + 1 and ($3::text is null or konsument = $3)`;

/** One line for each person in each look-up, or for the look-up when it names nobody, oldest first; a thousand look-ups in memory at a time. */
export async function* cefLines(db: Pool, selected: Selected, archive?: Archive): AsyncGenerator<string> {
  const { fra, til, konsument } = selected;
  const months = archive && (await monthsOf(db, selected, archive));
  if (archive && months) for await (const row of archive.rows(months, selected)) yield* cefOf(row);
  let after: Place = FIRST;
  for (;;) {
    const { rows } = await db.query<AuditedLookup & Place>(
      `select tidspunkt::text as moment, id, tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, personer, tillatt, call_id,
         antall_treff, utvalg, posisjon, avslag, antall_kall from oppslag
       where ${SELECTION} and (tidspunkt, id) > ($4, $5) order by tidspunkt, id limit 1000`,
      [fra, til, konsument, after.moment, after.id],
    );
    for (const row of rows) yield* cefOf(row);
    const last = rows.at(-1);
    if (!last) break;
    after = last;
  }
  if (months) await requireStillThere(db, months);
}

function* cefOf(row: AuditedLookup): Generator<string> {
  if (row.personer.length === 0) yield toCef(row);
  for (const person of row.personer) yield toCef(row, person);
}

/** Counted by the database, so that it makes no difference how many there are. */
export async function readUsage(
  db: Pool,
  { fra, til, konsument }: Selected,
  konsumenter: Konsumenter,
): Promise<UsageDto[]> {
  const { rows } = await db.query<Counted>(
    `with valgt as (select * from oppslag where ${SELECTION}),
     per_operasjon as (
       select konsument, behandlingsgrunnlag, operasjon, coalesce(sum(antall_kall) filter (where tillatt), 0) as antall from valgt group by 1, 2, 3)
     select v.konsument, v.behandlingsgrunnlag,
       (select coalesce(jsonb_object_agg(operasjon, antall), '{}') from per_operasjon o
        where o.konsument = v.konsument and o.behandlingsgrunnlag is not distinct from v.behandlingsgrunnlag
          and antall > 0) as operasjoner,
       coalesce(sum(antall_kall) filter (where not tillatt), 0)::int as avslag,
       (select count(distinct person)::int from valgt p, unnest(p.personer) as person
        where p.konsument = v.konsument and p.behandlingsgrunnlag is not distinct from v.behandlingsgrunnlag) as personer,
       (select coalesce(array_agg(distinct felt order by felt), '{}') from valgt f, unnest(f.felter) as felt
        where f.tillatt and f.konsument = v.konsument
          and f.behandlingsgrunnlag is not distinct from v.behandlingsgrunnlag) as "brukteFelter"
     from valgt v group by 1, 2 order by 1, 2`,
    [fra, til, konsument],
  );
  const granted = purposesOf(konsumenter, konsument);
  const used = rows.map((row) => withUnused(row, granted.find((grant) => isSame(grant, row))?.purpose));
  const neverUsed = granted
    .filter((grant) => !rows.some((row) => isSame(grant, row)))
    .map(({ purpose, ...names }) =>
      withUnused({ ...names, operasjoner: {}, avslag: 0, personer: 0, brukteFelter: [] }, purpose),
    );
  return [...used, ...neverUsed];
}

type Counted = Omit<UsageDto, 'ubrukteFelter' | 'ubrukteOperasjoner'>;
type ByPurpose = Pick<UsageDto, 'konsument' | 'behandlingsgrunnlag'>;

const isSame = (a: ByPurpose, b: ByPurpose): boolean =>
  a.konsument === b.konsument && a.behandlingsgrunnlag === b.behandlingsgrunnlag;

function purposesOf(konsumenter: Konsumenter, only: string | null): (ByPurpose & { purpose: Behandlingsgrunnlag })[] {
  return [...konsumenter.values()]
    .filter(({ navn }) => only === null || navn === only)
    .flatMap(({ navn, behandlingsgrunnlag }) =>
      behandlingsgrunnlag.map((purpose) => ({ konsument: navn, behandlingsgrunnlag: purpose.id, purpose })),
    );
}

function withUnused(counted: Counted, purpose: Behandlingsgrunnlag | undefined): UsageDto {
  const unused = (granted: ReadonlySet<string> | undefined, used: string[]): string[] | null =>
    granted ? [...granted].filter((name) => !used.includes(name) && !NOT_AUDITED.has(name)) : null;
  return {
    ...counted,
    ubrukteFelter: unused(purpose?.felter, counted.brukteFelter),
    ubrukteOperasjoner: unused(purpose?.operasjoner, Object.keys(counted.operasjoner)),
  };
}

function printUsage(usage: UsageDto[], form: string): void {
  if (form === 'json') {
    write(JSON.stringify(usage, null, 2));
    return;
  }
  for (const row of usage) {
    const operations = Object.entries(row.operasjoner).map(([name, count]) => `${name} ${String(count)}`);
    write(`${row.konsument} · ${row.behandlingsgrunnlag ?? '(denied before a purpose was known)'}`);
    write(
      `  look-ups: ${operations.join(', ') || 'none'}; denied: ${String(row.avslag)}; persons: ${String(row.personer)}`,
    );
    write(`  fields asked for: ${row.brukteFelter.join(', ') || 'none'}`);
    const unused = [...(row.ubrukteFelter ?? []), ...(row.ubrukteOperasjoner ?? [])];
    if (unused.length > 0) write(`  granted and never used: ${unused.join(', ')}`);
  }
}

/** As they come: of some persons there are very many. */
async function printEach(seen: AsyncIterable<SeenDto>): Promise<void> {
  let count = 0;
  for await (const row of seen) write(`${count++ === 0 ? '[' : ','}\n${JSON.stringify(row, null, 2)}`);
  write(count === 0 ? '[]' : ']');
}

async function printSeen(seen: AsyncIterable<SeenDto | SeenInSum>): Promise<void> {
  let isIndirect = false;
  for await (const row of seen) {
    isIndirect ||= row.hvordan === 'KAN_HA_FATT';
    write(seenLine(row));
  }
  if (isIndirect)
    write('MAY HAVE BEEN told: the answer names nobody, and it can not be ruled out that it held this person.');
}

function seenLine(seen: SeenDto | SeenInSum): string {
  const { tidspunkt, konsument, organisasjoner, behandlingsgrunnlag, operasjon, felter, hvordan } = seen;
  const purpose = behandlingsgrunnlag === null ? '' : ` (${behandlingsgrunnlag})`;
  const [organisasjon, supplier] = organisasjoner ?? [];
  const by = supplier === undefined ? '' : ` by supplier ${supplier}`;
  const from = organisasjon === undefined ? '' : ` [org ${organisasjon}${by}]`;
  const who = `${tidspunkt.toISOString()} ${konsument}${from}${purpose} ${SEEN[hvordan]}`;
  const fields = felter.join(' ') || 'no fields';
  if ('antall' in seen) {
    const last = seen.antall === 1 ? '' : `, the last at ${seen.siste.toISOString()}`;
    return `${who}, ${String(seen.antall)} that day${last}: ${operasjon}, ${fields}`;
  }
  const subset = seen.utvalg === null ? '' : ` of ${JSON.stringify(seen.utvalg)}`;
  return `${who}: ${operasjon}${subset}, ${fields} [${seen.callId}]`;
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
