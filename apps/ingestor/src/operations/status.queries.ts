import type { Pool } from 'pg';
import { readAdapterStatus } from '../adapter/adapter-status.ts';
import { readContract } from '../adapter/contract.queries.ts';
import type { SyncDeadlines } from '../adapter/sync.queries.ts';
import { positionsTable } from '../kafka/positions.queries.ts';
import { countParked } from './parked/parked.queries.ts';
import type { Served } from './served.ts';
import type { PartisjonsstatusDto, StatusDto } from './status.dto.ts';

interface PartitionRow {
  partisjon: number;
  neste_offset: string;
  slutt_offset: string | null;
  oppdatert_til: Date | null;
}

/** How it goes, from what is stored: also when Kafka does not answer. */
export async function readStatus(
  db: Pool,
  { organisasjon, topic }: Served,
  deadlines: SyncDeadlines,
): Promise<StatusDto> {
  const contract = await readContract(db);
  const { rows } = await db.query<PartitionRow>(
    `select o.partisjon, o.neste_offset, s.slutt_offset, s.oppdatert_til
     from ${positionsTable('$1')} o left join konsum_status s on s.topic = $1 and s.partisjon = o.partisjon
     order by o.partisjon`,
    [topic],
  );
  const times = rows.map((row) => row.oppdatert_til?.toISOString() ?? '');
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

function toPartition(row: PartitionRow): PartisjonsstatusDto {
  const next = Number(row.neste_offset);
  const end = row.slutt_offset === null ? null : Number(row.slutt_offset);
  return {
    partisjon: row.partisjon,
    nesteOffset: next,
    sluttOffset: end,
    etterslep: end === null ? null : Math.max(0, end - next),
    oppdatertTil: row.oppdatert_til?.toISOString() ?? null,
  };
}
