import type { Pool } from 'pg';
import type { AdapterstatusDto, KontraktDto } from './kontrakt.dto.ts';
import { lesSisteFulle, type Kontraktrad } from './kontrakt.queries.ts';
import { vurderHjerteslag } from './kontrakt.ts';
import { tilSynkDto } from './synk.dto.ts';
import { listSynker, type Synkfrister } from './synk.queries.ts';

const SYNKER_VIST = 20;

/** Whether the adapter keeps what it has promised, as itself and those on duty see it. */
export async function lesAdapterstatus(
  db: Pool,
  frister: Synkfrister,
  kontrakt: Kontraktrad,
): Promise<AdapterstatusDto> {
  const { fullfoert, forfalt } = await lesSisteFulle(db);
  const synker = await listSynker(db, frister, SYNKER_VIST);
  return {
    kontrakt: tilKontrakt(kontrakt),
    hjerteslag: vurderHjerteslag(kontrakt),
    sisteFullSynk: fullfoert?.toISOString() ?? null,
    fullSynkForfalt: forfalt,
    synker: synker.map((synk) => tilSynkDto(synk)),
  };
}

function tilKontrakt(rad: Kontraktrad): KontraktDto {
  const { adapterId, heartbeatIntervallMinutter, fullSynkIntervallDager, deltaSynk, ressurser } = rad;
  return { adapterId, heartbeatIntervallMinutter, fullSynkIntervallDager, deltaSynk, ressurser };
}
