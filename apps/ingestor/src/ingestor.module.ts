import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Pool } from 'pg';
import { Adapterpool } from './adapter/adapterpool.ts';
import { ContractController } from './adapter/kontrakt.controller.ts';
import { SyncController } from './adapter/synk.controller.ts';
import { Syncs } from './adapter/synk.ts';
import { AvstemmingController } from './avstemming/avstemming.controller.ts';
import { Avstemming } from './avstemming/avstemming.ts';
import { AvstemmingRepair } from './avstemming/retting.ts';
import { AvtalerConsumer } from './avtaler/avtaler.consumer.ts';
import { Ingest } from './avtaler/avtaler.innlesning.ts';
import { DatabaseUnavailableInterceptor } from './databasefeil.ts';
import { OperationsController, SERVED } from './drift/drift.controller.ts';
import { RebuildController } from './drift/gjenoppbygging.controller.ts';
import { Rebuild } from './drift/gjenoppbygging.ts';
import { ParkedController } from './drift/parkerte.controller.ts';
import { ParkedReplay } from './drift/parkerte.ts';
import type { Served } from './drift/status.ts';
import { ORGANISASJON, AccessGuard } from './tilgang/tilgang.ts';

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
