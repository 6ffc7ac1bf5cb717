import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Pool } from 'pg';
import { Adapterpool } from './adapter/adapterpool.ts';
import { ContractController } from './adapter/contract.controller.ts';
import { SyncController } from './adapter/sync.controller.ts';
import { Syncs } from './adapter/sync.ts';
import { AvstemmingController } from './avstemming/avstemming.controller.ts';
import { Avstemming } from './avstemming/avstemming.ts';
import { AvstemmingRepair } from './avstemming/repair.ts';
import { AvtalerConsumer } from './ingest/avtaler.consumer.ts';
import { Ingest } from './ingest/ingest.ts';
import { DatabaseUnavailableInterceptor } from './database/unavailable.interceptor.ts';
import { OperationsController, SERVED } from './operations/operations.controller.ts';
import { RebuildController } from './operations/rebuild/rebuild.controller.ts';
import { Rebuild } from './operations/rebuild/rebuild.job.ts';
import { ParkedController } from './operations/parked/parked.controller.ts';
import { ParkedReplay } from './operations/parked/replay.ts';
import type { Served } from './operations/status.queries.ts';
import { ORGANISASJON, AccessGuard } from './access.guard.ts';

/** What the controllers work with; started and stopped by `main.ts`. */
export interface Parts {
  pool: Pool;
  ingest: Ingest;
  served: Served;
  rebuild: Rebuild;
  adapterPool: Pool;
  syncs: Syncs;
  avstemming: Avstemming;
  repair: AvstemmingRepair;
}

@Module({})
export class IngestorModule {
  static with({ pool, ingest, served, rebuild, adapterPool, syncs, avstemming, repair }: Parts): DynamicModule {
    return {
      module: IngestorModule,
      controllers: [
        AvtalerConsumer,
        OperationsController,
        ParkedController,
        RebuildController,
        ContractController,
        SyncController,
        AvstemmingController,
      ],
      providers: [
        { provide: Pool, useValue: pool },
        { provide: Ingest, useValue: ingest },
        { provide: SERVED, useValue: served },
        { provide: ParkedReplay, useValue: new ParkedReplay(pool, ingest) },
        { provide: Rebuild, useValue: rebuild },
        { provide: Adapterpool, useValue: new Adapterpool(adapterPool) },
        { provide: Syncs, useValue: syncs },
        { provide: Avstemming, useValue: avstemming },
        { provide: AvstemmingRepair, useValue: repair },
        { provide: ORGANISASJON, useValue: served.organisasjon },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: DatabaseUnavailableInterceptor },
      ],
    };
  }
}
