import type { Pool } from 'pg';

/** Tables whose rows go one by one, by the jobs that own them: what bounds each, and how many of its rows are beyond it now. */
const LIMITS: Record<string, { bound: string; beyond: string }> = {
  driftsmaaling: {
    bound: '24 timer',
    beyond: `select count(*) from driftsmaaling where tidspunkt < clock_timestamp() - interval '24 hours'`,
  },
  synk: {
    bound: '30 dager etter at den er avsluttet',
    beyond: `select count(*) from synk where avsluttet < now() - interval '30 days' and synk_id not in (
      select distinct on (ressurs) synk_id from synk where type = 'FULL' and coalesce(ressurstilstand, tilstand) = 'FULLFOERT'
      order by ressurs, avsluttet desc)`,
  },
  avstemming: { bound: 'de siste 50', beyond: 'select greatest(count(*) - 50, 0) from avstemming' },
  relasjonskontroll: { bound: 'de siste 50', beyond: 'select greatest(count(*) - 50, 0) from relasjonskontroll' },
  gjenoppbygging: { bound: 'de siste 50', beyond: 'select greatest(count(*) - 50, 0) from gjenoppbygging' },
  parkert_handling: { bound: 'de siste 1000', beyond: 'select greatest(count(*) - 1000, 0) from parkert_handling' },
  parkert_melding: {
    bound: '90 dager etter at den er behandlet',
    beyond: `select count(*) from parkert_melding where tilstand <> 'PARKERT' and behandlet < now() - interval '90 days'`,
  },
};

export interface RowLimit {
  tabell: string;
  beholdes: string;
  rader: number;
  villeFjernes: number;
}

/** Rebuilds and bulk actions beyond the last of them. */
export async function pruneReports(db: Pool): Promise<void> {
  await db.query('select rydd_rapporter()');
}

export async function readRowLimits(db: Pool): Promise<RowLimit[]> {
  const parts = Object.entries(LIMITS).map(
    ([table, { bound, beyond }]) => `select '${table}' as tabell, '${bound}' as beholdes,
      (select count(*)::int from ${table}) as rader, (${beyond})::int as "villeFjernes"`,
  );
  const { rows } = await db.query<RowLimit>(parts.join(' union all '));
  return rows;
}
