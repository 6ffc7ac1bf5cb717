import type { Pool } from 'pg';
import { readAdapterStatus } from '../../adapter/adapter-status.ts';
import { readContract } from '../../adapter/contract.queries.ts';
import type { SyncDeadlines } from '../../adapter/sync.queries.ts';
import { positionsTable } from '../../kafka/positions.queries.ts';
import type { Served } from '../served.ts';
import { judge, worst, type Check, type Findings, type State } from './checks.ts';

export interface Condition {
  organisasjon: string;
  lest: string;
  tilstand: State;
  dataOppdatert: string | null;
  sjekker: Check[];
}

/** How it goes, from what is stored: also when Kafka does not answer. */
export async function readCondition(
  db: Pool,
  { organisasjon, topic }: Served,
  deadlines: SyncDeadlines,
): Promise<Condition> {
  const found = await readFindings(db, topic);
  const contract = await readContract(db);
  const adapter = contract ? await readAdapterStatus(db, deadlines, contract) : null;
  const sjekker = judge(found, adapter);
  return {
    organisasjon,
    lest: found.now.toISOString(),
    tilstand: worst(sjekker),
    dataOppdatert: found.updatedTo?.toISOString() ?? null,
    sjekker,
  };
}

async function readFindings(db: Pool, topic: string): Promise<Findings> {
  const { rows } = await db.query<Findings>(FINDINGS, [topic]);
  const [found] = rows;
  if (!found) throw new Error('A select without a table gives one row');
  return found;
}

/** One statement, so that what it tells is of one moment, by the database's clock. */
const FINDINGS = `
  select clock_timestamp() as now,
    greatest(0, extract(epoch from clock_timestamp() - fersk.til))::float8 as "ageSeconds", fersk.til as "updatedTo",
    fersk.etterslep::float8 as lag,
    parkert.antall::int as parked, parkert.eldste as "oldestParked",
    stanset.antall::int as held, stanset.eldste as "oldestHeld",
    hull.antall::int as gaps, hull.eldste as "oldestGap",
    venter.antall::int as rebuilds, venter.eldste as "oldestRebuild",
    coalesce((select count(*) from avstemming_differanse d where d.avstemming = siste.id and not d.fersk and d.rettet is null), 0)::int
      as differences,
    siste.avsluttet as "reconciledAt",
    extract(epoch from clock_timestamp() - siste.avsluttet)::float8 as "reconciledAgeSeconds",
    case when kontroll.rett then 0 else coalesce(kontroll.mangler + kontroll.overfloedige, 0) end::int as deviations,
    kontroll.avsluttet as "checkedAt"
  from (
    select case when bool_and(s.oppdatert_til is not null) then min(s.oppdatert_til) end as til,
      coalesce(sum(greatest(0, s.slutt_offset - o.neste_offset)), 0) as etterslep
    from ${positionsTable('$1')} o left join konsum_status s on s.topic = $1 and s.partisjon = o.partisjon
  ) fersk,
  (select count(*) as antall, min(parkert) as eldste from parkert_melding where tilstand = 'PARKERT') parkert,
  (select count(*) as antall, min(stanset) as eldste from stanset_partisjon s
     where not exists (select from konsum_offset o where o.topic = s.topic and o.partisjon = s.partisjon
       and (o.epoke > s.epoke or o.neste_offset > s.til_offset))) stanset,
  (select count(*) as antall, min(navngitt) as eldste from gjenoppbygging
     where tilstand = 'KJORER' and navngitt is not null and not bekreftet) venter,
  (select count(*) as antall, min(oppdaget) as eldste from konsum_hull where lukket is null) hull
  left join lateral (select id, avsluttet from avstemming order by id desc limit 1) siste on true
  left join lateral (
    select mangler, overfloedige, rett, avsluttet from relasjonskontroll where avsluttet is not null and not feilet order by id desc limit 1
  ) kontroll on true`;
