import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import type { CheckResult, Deviation } from '../../relations/check.ts';

/** Beyond these, what differs is counted. */
export const MAX_DEVIATIONS = 1_000;
const KEPT = 50;

export interface RelationReport {
  id: string;
  bestilt: Date;
  startet: Date | null;
  /** null: it is waited for, or under way */
  avsluttet: Date | null;
  /** it ended without a result */
  feilet: boolean;
  startetAv: string;
  rett: boolean;
  deltakere: number;
  mangler: number;
  overfloedige: number;
}

const COLUMNS = `id, bestilt, startet, avsluttet, feilet, startet_av as "startetAv", rett, deltakere, mangler, overfloedige`;

/** Newest first. */
export async function listRelationReports(
  db: Pool,
  before: string | undefined,
  count: number,
): Promise<RelationReport[]> {
  const { rows } = await db.query<RelationReport>(
    `select ${COLUMNS} from relasjonskontroll where $1::bigint is null or id < $1 order by id desc limit $2`,
    [before ?? null, count],
  );
  return rows;
}

export async function readRelationReport(
  db: Pool,
  id: string,
): Promise<(RelationReport & { avvik: Deviation[] }) | undefined> {
  const { rows } = await db.query<RelationReport & { avvik: Deviation[] }>(
    `select ${COLUMNS}, avvik from relasjonskontroll where id = $1`,
    [id],
  );
  return rows[0];
}

/** Undefined when one is waited for already. */
export async function orderRelationCheck(
  db: Pool | PoolClient,
  who: string,
  repair: boolean,
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `insert into relasjonskontroll (startet_av, rett)
     select $1, $2 where not exists (select from relasjonskontroll where avsluttet is null) returning id`,
    [who, repair],
  );
  return rows[0]?.id;
}

/** After one that failed: what made it fail is seldom gone at once. */
const RETRY_MINUTES = 10;

export async function isRelationCheckDue(db: Pool, hours: number): Promise<boolean> {
  if (hours === 0) return false;
  const { rows } = await db.query(
    `select from relasjonskontroll
     where (not feilet and bestilt > clock_timestamp() - make_interval(hours => $1))
       or (feilet and avsluttet > clock_timestamp() - make_interval(mins => $2)) limit 1`,
    [hours, RETRY_MINUTES],
  );
  return rows.length === 0;
}

/** Of those that are waited for, the one that came first. It may have been begun by a process that has ended since. */
export async function nextRelationCheck(db: Pool): Promise<{ id: string; rett: boolean } | undefined> {
  const { rows } = await db.query<{ id: string; rett: boolean }>(
    'select id, rett from relasjonskontroll where avsluttet is null order by id limit 1',
  );
  return rows[0];
}

/** One at a time; the lock goes with the connection. */
export async function tryRelationLock(db: PoolClient): Promise<boolean> {
  const { rows } = await db.query<{ got: boolean }>(`select pg_try_advisory_lock(${LOCKS.RELASJONSKONTROLL}) as got`);
  return rows[0]?.got === true;
}

export async function beginRelationCheck(db: PoolClient, id: string): Promise<void> {
  await db.query('update relasjonskontroll set startet = clock_timestamp() where id = $1', [id]);
}

/** It is over, so that another can be asked for; unless another process, which took it over, has ended it. */
export async function failRelationCheck(db: Pool, id: string): Promise<void> {
  await db.query(
    'update relasjonskontroll set avsluttet = clock_timestamp(), feilet = true where id = $1 and avsluttet is null',
    [id],
  );
}

/** Of a check that puts right what it finds, in the transaction that does. */
export async function recordPutRight(db: PoolClient, id: string, found: readonly Deviation[]): Promise<void> {
  const missing = found.filter(({ avvik }) => avvik === 'MANGLER').length;
  await db.query(
    `update relasjonskontroll set mangler = mangler + $2, overfloedige = overfloedige + $3, avvik = (
       select coalesce(jsonb_agg(ett order by nr), '[]')
       from (select * from jsonb_array_elements(avvik || $4::jsonb) with ordinality as alle (ett, nr) order by nr limit $5) foerste)
     where id = $1`,
    [id, missing, found.length - missing, JSON.stringify(found), MAX_DEVIATIONS],
  );
}

/**
 * What a check has put right is noted by then (`recordPutRight`); what it has only found, it tells of here.
 *
 * @returns what differed, also what a process found that was killed
 */
export async function endRelationCheck(
  db: PoolClient,
  id: string,
  { deltakere, mangler, overfloedige }: CheckResult,
  deviations: readonly Deviation[],
): Promise<Pick<CheckResult, 'mangler' | 'overfloedige'>> {
  const { rows } = await db.query<Pick<CheckResult, 'mangler' | 'overfloedige'>>(
    `update relasjonskontroll set avsluttet = clock_timestamp(), feilet = false, deltakere = $2,
       mangler = case when rett then mangler else $3 end, overfloedige = case when rett then overfloedige else $4 end,
       avvik = case when rett then avvik else $5 end
     where id = $1 returning mangler, overfloedige`,
    [id, deltakere, mangler, overfloedige, JSON.stringify(deviations)],
  );
  await db.query(
    'delete from relasjonskontroll where id <= (select id from relasjonskontroll order by id desc offset $1 limit 1)',
    [KEPT],
  );
  return rows[0] ?? { mangler, overfloedige };
}
