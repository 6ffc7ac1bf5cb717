import type { Pool } from 'pg';
import type { AdapterstatusDto, KontraktDto } from './contract.dto.ts';
import { readLastFullSync, type ContractRow } from './contract.queries.ts';
import { assessHeartbeat } from './contract.ts';
import { toSynkDto } from './sync.dto.ts';
import { listSyncs, type SyncDeadlines } from './sync.queries.ts';

const SYNCS_SHOWN = 20;

/** Whether the adapter keeps what it has promised, as itself and those on duty see it. */
export async function readAdapterStatus(
  db: Pool,
  deadlines: SyncDeadlines,
  contract: ContractRow,
): Promise<AdapterstatusDto> {
  const { completed, overdue } = await readLastFullSync(db);
  const syncs = await listSyncs(db, deadlines, SYNCS_SHOWN);
  return {
    kontrakt: toContract(contract),
    hjerteslag: assessHeartbeat(contract),
    sisteFullSynk: completed?.toISOString() ?? null,
    fullSynkForfalt: overdue,
    sisteFeil: contract.sisteFeil,
    synker: syncs.map((sync) => toSynkDto(sync)),
  };
}

function toContract(row: ContractRow): KontraktDto {
  const { adapterId, heartbeatIntervallMinutter, fullSynkIntervallDager, deltaSynk, ressurser, ukjenteFelter } = row;
  return { adapterId, heartbeatIntervallMinutter, fullSynkIntervallDager, deltaSynk, ressurser, ukjenteFelter };
}
