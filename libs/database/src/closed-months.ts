import type { DataSource, QueryRunner } from 'typeorm';
import { LOCKS } from './locks.ts';
import { makeIndexConcurrently } from './migration-steps.ts';

/** What a month of the audit is searched by once it is over: whole, and never written to again. */
const INDEXES: Record<string, string> = {
  avsluttet_person: '(person) where person is not null',
  avsluttet_personer: 'using gin (personer) where personer is not null',
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
    for (const [suffix, definition] of Object.entries(INDEXES)) {
      const name = `${table}_${suffix}`;
      try {
        if (await makeIndexConcurrently(runner, name, `${table} ${definition}`)) made.push(name);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  }
  return made;
}

/** The month has left meanwhile. */
const isGone = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '42P01';
