import type { DataSource, QueryRunner } from 'typeorm';
import { LOCKS } from './locks.ts';
import { makeIndexConcurrently } from './migration-steps.ts';

/** operationIds of what names nobody, also where the audit is from before it kept a position. */
export const NAMELESS = ['eksporterAvtaler', 'hentEndringer', 'hentStatistikk'] as const;

/**
 * A line of `oppslagslinje` of an answer that names nobody and told of somebody. A page of a subscription names everybody
 * that it tells of, also when these are none. What asks for such lines says it in these words: so Postgres knows that the
 * index below has all of them.
 */
export const TOLD_WITHOUT_NAMES = `(posisjon is not null or operasjon in (${NAMELESS.map((name) => `'${name}'`).join(', ')}))
  and tillatt and antall_treff > 0 and person is null and coalesce(personer, '{}') = '{}'
  and not coalesce(utvalg ?& array['abonnement', 'etter'], false)`;

/**
 * What a month of the audit is searched by once it is over: whole, and never written to again. Of what names nobody, the
 * index has all that is told: each of these lines lies on a page of its own.
 */
const INDEXES: Record<string, string> = {
  avsluttet_person: '(person) where person is not null',
  avsluttet_personer: 'using gin (personer) where personer is not null',
  avsluttet_uten_navn: `(tidspunkt, id) include (form, konsument, behandlingsgrunnlag, operasjon, felter, organisasjoner,
    antall_treff, utvalg, posisjon, call_uuid, call_id) where ${TOLD_WITHOUT_NAMES}`,
};

/**
 * Gives each month of the audit that is over the indexes that find a person without reading what is not theirs. They are
 * made here, by the owner, and not as lines are written: they would cost more than all else of a look-up. And not by a
 * function that the ingestor calls: an index that isn't made concurrently holds the change feed up for as long as it takes.
 * One job at a time: the index that another is making looks like one of a job that was killed.
 *
 * @returns the indexes that were made; none while another migration job is at work
 */
export async function indexClosedMonths(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const [lock] = (await runner.query(`select pg_try_advisory_lock(${LOCKS.MIGRATION}) as held`)) as {
      held: boolean;
    }[];
    if (!lock?.held) return [];
    await runner.query(`set statement_timeout = 0; set maintenance_work_mem = '256MB'`);
    return await makeIndexes(runner);
  } finally {
    await runner.query('select pg_advisory_unlock_all()').catch(() => undefined);
    await runner.query('reset statement_timeout; reset maintenance_work_mem').catch(() => undefined);
    await runner.release();
  }
}

async function makeIndexes(runner: QueryRunner): Promise<string[]> {
  const made: string[] = [];
  const months = (await runner.query(
    `select partisjon::text as name from partisjoner_av('oppslagslinje') where til < now() - interval '1 hour'`,
  )) as { name: string }[];
  for (const { name: table } of months) {
    try {
      made.push(...(await makeIndexesOf(runner, table)));
    } catch (error) {
      if (!hasCode(error, GONE)) throw error;
    }
  }
  return made;
}

async function makeIndexesOf(runner: QueryRunner, table: string): Promise<string[]> {
  const made: string[] = [];
  const missing = (await runner.query(
    `select suffix from unnest($1::text[]) with ordinality as en(suffix, nr)
     where not exists (select from pg_index where indexrelid = to_regclass($2 || '_' || suffix) and indisvalid)
     order by nr`,
    [Object.keys(INDEXES), table],
  )) as { suffix: string }[];
  // What is read from an index alone is what vacuum has seen that all may see; it comes by itself to four fifths of a month.
  if (missing.length > 0) await runner.query(`vacuum (freeze) ${table}`);
  for (const { suffix } of missing) {
    const name = `${table}_${suffix}`;
    try {
      if (await makeIndexConcurrently(runner, name, `${table} ${String(INDEXES[suffix])}`)) made.push(name);
    } catch (error) {
      // A line that no index holds: the month is read by those that there are.
      if (!hasCode(error, TOO_LARGE)) throw error;
      await runner.query(`drop index concurrently if exists ${name}`);
    }
  }
  return made;
}

/** The month has left meanwhile. */
const GONE = '42P01';
const TOO_LARGE = '54000';

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
