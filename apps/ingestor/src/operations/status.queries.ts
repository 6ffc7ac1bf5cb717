import type { Pool } from 'pg';
import { readAdapterStatus } from '../adapter/adapter-status.ts';
import { readContract } from '../adapter/contract.queries.ts';
import type { SyncDeadlines } from '../adapter/sync.queries.ts';
import { positionsTable } from '../kafka/positions.queries.ts';
import type { StatusTable } from '../kafka/status-tables.ts';
import { countParked } from './parked/parked.queries.ts';
import type { Served } from './served.ts';
import type { HullDto, PartisjonsstatusDto, StatusDto, TopicepokeDto } from './status.dto.ts';

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
  const partitions = await readPartitions(db, topic, 'konsum_status');
  return {
    organisasjon,
    topic,
    dataOppdatert: oldestOf(partitions),
    partisjoner: partitions,
    hull: await readGaps(db),
    topicer: await readTopics(db),
    parkerte: await countParked(db),
    adapter: contract ? await readAdapterStatus(db, deadlines, contract) : null,
  };
}

/** Of the topic, as far as the stream has come and as was last measured. */
export async function readPartitions(db: Pool, topic: string, table: StatusTable): Promise<PartisjonsstatusDto[]> {
  const { rows } = await db.query<PartitionRow>(
    `select o.partisjon, o.neste_offset, s.slutt_offset, s.oppdatert_til
     from ${positionsTable('$1')} o left join ${table} s on s.topic = $1 and s.partisjon = o.partisjon
     order by o.partisjon`,
    [topic],
  );
  return rows.map(toPartition);
}

/** As fresh as the partition that is furthest behind; one that was never read to its end promises nothing. */
export function oldestOf(partitions: readonly PartisjonsstatusDto[]): string | null {
  const [oldest] = partitions.map(({ oppdatertTil }) => oppdatertTil ?? '').sort();
  return oldest || null;
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

interface GapRow {
  topic: string;
  partisjon: number;
  fra: number;
  til: number;
  oppdaget: Date;
  oppdatert_til: Date | null;
  lukket: Date | null;
  lukket_av: string | null;
}

/** Those that are open, and ten that are not; newest first. */
async function readGaps(db: Pool): Promise<HullDto[]> {
  const { rows } = await db.query<GapRow>(
    `select topic, partisjon, fra_offset::float8 as fra, til_offset::float8 as til, oppdaget, oppdatert_til, lukket,
       lukket_av
     from konsum_hull where lukket is null or id in (
       select id from konsum_hull where lukket is not null order by id desc limit 10)
     order by id desc`,
  );
  return rows.map((row) => ({
    topic: row.topic,
    partisjon: row.partisjon,
    fraOffset: row.fra,
    tilOffset: row.til,
    oppdaget: row.oppdaget.toISOString(),
    oppdatertTil: row.oppdatert_til?.toISOString() ?? null,
    lukket: row.lukket?.toISOString() ?? null,
    lukketAv: row.lukket_av,
  }));
}

async function readTopics(db: Pool): Promise<TopicepokeDto[]> {
  const { rows } = await db.query<{ topic: string; topic_id: string; epoke: number; foerst_sett: Date }>(
    'select topic, topic_id, epoke, foerst_sett from topic_epoke order by foerst_sett desc, epoke desc limit 10',
  );
  return rows.map((row) => ({
    topic: row.topic,
    topicId: row.topic_id,
    epoke: row.epoke,
    foerstSett: row.foerst_sett.toISOString(),
  }));
}
