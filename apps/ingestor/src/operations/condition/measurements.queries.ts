import type { Pool } from 'pg';
import { positionsTable } from '../../kafka/positions.queries.ts';

/** s; between two measurements that are kept */
export const EVERY_SECONDS = 30;
const KEPT_HOURS = 24;

/** False when this half minute has been measured: by another ingestor, or a moment ago. */
export async function insertMeasurement(db: Pool, topic: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into driftsmaaling (tidspunkt, etterslep, alder_sekunder, lest)
     select date_bin(make_interval(secs => $2), clock_timestamp(), 'epoch'),
       coalesce(sum(greatest(0, s.slutt_offset - o.neste_offset)), 0),
       case when bool_and(s.oppdatert_til is not null)
         then greatest(0, extract(epoch from clock_timestamp() - min(s.oppdatert_til))) end,
       coalesce(sum(o.neste_offset), 0)
     from ${positionsTable('$1')} o left join konsum_status s on s.topic = $1 and s.partisjon = o.partisjon
     having count(*) > 0
     on conflict do nothing`,
    [topic, EVERY_SECONDS],
  );
  return rowCount === 1;
}

export async function deleteOldMeasurements(db: Pool): Promise<void> {
  await db.query('delete from driftsmaaling where tidspunkt < clock_timestamp() - make_interval(hours => $1)', [
    KEPT_HOURS,
  ]);
}

export interface Measurement {
  tidspunkt: Date;
  etterslep: number;
  alderSekunder: number | null;
  /** null where nothing can be told: the first one, and where the topic was made anew */
  perSekund: number | null;
}

/** Oldest first. */
export async function readMeasurements(db: Pool, hours: number): Promise<Measurement[]> {
  const { rows } = await db.query<Measurement>(
    `select tidspunkt, etterslep::float8 as etterslep, alder_sekunder as "alderSekunder",
       case when lest >= lag(lest) over w
         then (lest - lag(lest) over w)::float8 / extract(epoch from tidspunkt - lag(tidspunkt) over w)::float8
       end as "perSekund"
     from driftsmaaling where tidspunkt > clock_timestamp() - make_interval(hours => $1)
     window w as (order by tidspunkt) order by tidspunkt`,
    [hours],
  );
  return rows;
}
