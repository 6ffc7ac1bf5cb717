import type { Pool } from 'pg';
import { readAdapterStatus } from '../adapter/adapter-status.ts';
import { readContract } from '../adapter/contract.queries.ts';
import type { SyncDeadlines } from '../adapter/sync.queries.ts';
import type { StatusDto } from './operations.dto.ts';
import { countParked } from './parked/parked.queries.ts';

/** What the process serves. */
export interface Served {
  organisasjon: string;
  topic: string;
}

interface PartitionRow {
  partisjon: number;
  neste: string;
  end: string | null;
  til: Date | null;
}

/** How it goes, from what is stored: also when Kafka does not answer. */
export async function readStatus(
  db: Pool,
  { organisasjon, topic }: Served,
  deadlines: SyncDeadlines,
): Promise<StatusDto> {
  const contract = await readContract(db);
  const { rows } = await db.query<PartitionRow>(
    `select o.partisjon, o.neste_offset as neste, s.slutt_offset as "end", s.oppdatert_til as til
     from konsum_offset o left join konsum_status s using (topic, partisjon)
     where o.topic = $1 order by o.partisjon`,
    [topic],
  );
  const times = rows.map(({ til: to }) => to?.toISOString() ?? '');
  // As fresh as the partition that is furthest behind; one that was never read to its end promises nothing.
  const [oldest] = times.sort();
  return {
    organisasjon,
    topic,
    dataOppdatert: oldest || null,
    partisjoner: rows.map(toPartition),
    parkerte: await countParked(db),
    adapter: contract ? await readAdapterStatus(db, deadlines, contract) : null,
  };
}

function toPartition({
  partisjon: partition,
  neste: next,
  end,
  til: to,
}: PartitionRow): StatusDto['partisjoner'][number] {
  return {
    partisjon: partition,
    nesteOffset: Number(next),
    sluttOffset: end === null ? null : Number(end),
    etterslep: end === null ? null : Math.max(0, Number(end) - Number(next)),
    oppdatertTil: to?.toISOString() ?? null,
  };
}
