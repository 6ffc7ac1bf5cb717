import type { Pool } from 'pg';
import type { AdapterstatusDto, KontraktDto } from './contract.dto.ts';
import { readLastFullSyncs, type ContractRow } from './contract.queries.ts';
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
  const fullSyncs = await readLastFullSyncs(db);
  // The one that was longest ago: what holds of the adapter holds of all that it sends.
  const [oldest] = fullSyncs.map((sync) => sync.sisteFullSynk).sort((a, b) => Number(a) - Number(b));
  const syncs = await listSyncs(db, deadlines, SYNCS_SHOWN);
  return {
    kontrakt: toContract(contract),
    hjerteslag: assessHeartbeat(contract),
    sisteFullSynk: oldest?.toISOString() ?? null,
    fullSynkForfalt: fullSyncs.some(({ forfalt }) => forfalt),
    fullSynker: fullSyncs.map((sync) => ({ ...sync, sisteFullSynk: sync.sisteFullSynk?.toISOString() ?? null })),
    sisteFeil: contract.sisteFeil,
    synker: syncs.map((sync) => toSynkDto(sync)),
  };
}

function toContract(row: ContractRow): KontraktDto {
  const { adapterId, heartbeatIntervallMinutter, fullSynkIntervallDager, deltaSynk, ressurser, ukjenteFelter } = row;
  return { adapterId, heartbeatIntervallMinutter, fullSynkIntervallDager, deltaSynk, ressurser, ukjenteFelter };
}
