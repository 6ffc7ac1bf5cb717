import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import { ForRole } from '../../access.guard.ts';
import { worst, type State } from '../condition/checks.ts';
import { PlassDto, type ReplikeringssporDto, type TabellplassDto } from './storage.dto.ts';
import { StorageMeter } from './storage.job.ts';
import type { ReplicationSlot, Storage, TableStorage } from './storage.queries.ts';

@ApiTags('Drift')
@ForRole('drift')
@Controller('drift/v1/plass')
export class StorageController {
  constructor(private readonly meter: StorageMeter) {}

  @Get()
  @ApiOperation({ operationId: 'hentPlass', summary: 'What the database takes, by table and index' })
  @ApiOkResponse({ type: PlassDto })
  hentPlass(): PlassDto {
    if (!this.meter.last) throw new Problem(PROBLEMS.UTILGJENGELIG, 'It has not been measured yet');
    return describeStorage(this.meter.last, this.meter.capacityBytes);
  }
}

/** The limits are those of the alerts `DiskenBlirFull`, `DoedeRader`, `TransaksjonsnumreTarSlutt` and `Replikeringsspor…`. */
export function describeStorage(storage: Storage, capacityBytes: number | null): PlassDto {
  const tabeller = storage.tables.map(tableOf);
  const replikeringsspor = storage.slots.map(slotOf);
  const share = capacityBytes === null ? 0 : storage.databaseBytes / capacityBytes;
  const states: State[] = [
    share > 0.8 ? 'FEIL' : share > 0.7 ? 'OBS' : 'BRA',
    storage.transactionAge > 1_000_000_000 ? 'FEIL' : storage.transactionAge > 500_000_000 ? 'OBS' : 'BRA',
    ...[...tabeller, ...replikeringsspor].map(({ tilstand }) => tilstand),
  ];
  return {
    maalt: storage.measured.toISOString(),
    tilstand: worst(states.map((state) => ({ tilstand: state }))),
    databaseByte: storage.databaseBytes,
    plassByte: capacityBytes,
    transaksjonsalder: storage.transactionAge,
    aapenTransaksjonsalder: storage.openAge,
    tabeller,
    indekser: storage.indexes.map(({ index, table, bytes }) => ({ indeks: index, tabell: table, antallByte: bytes })),
    replikeringsspor,
  };
}

function tableOf({ table, rows, deadRows, updates, hotUpdates, ...bytes }: TableStorage): TabellplassDto {
  return {
    tabell: table,
    tabellByte: bytes.heapBytes,
    indeksByte: bytes.indexBytes,
    toastByte: bytes.toastBytes,
    rader: rows,
    doedeRader: deadRows,
    hotAndel: updates === 0 ? null : hotUpdates / updates,
    tilstand: deadRows > 100_000 && deadRows > 0.3 * rows ? 'OBS' : 'BRA',
  };
}

function slotOf({ slot, isLogical, heldBytes, isLost }: ReplicationSlot): ReplikeringssporDto {
  return {
    spor: slot,
    slag: isLogical ? 'LOGISK' : 'FYSISK',
    holdtTilbakeByte: heldBytes,
    tapt: isLost,
    tilstand: isLost ? 'FEIL' : heldBytes > 1_000_000_000 ? 'OBS' : 'BRA',
  };
}
