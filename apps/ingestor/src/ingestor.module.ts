import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Pool } from 'pg';
import { Adapterpool } from './adapter/adapterpool.ts';
import { KontraktController } from './adapter/kontrakt.controller.ts';
import { SynkController } from './adapter/synk.controller.ts';
import { Synker } from './adapter/synk.ts';
import { AvstemmingController } from './avstemming/avstemming.controller.ts';
import { Avstemming } from './avstemming/avstemming.ts';
import { Retting } from './avstemming/retting.ts';
import { AvtaleConsumer } from './avtaler/avtaler.consumer.ts';
import { Innlesning } from './avtaler/avtaler.innlesning.ts';
import { Databasefeil } from './databasefeil.ts';
import { DriftController, HVA } from './drift/drift.controller.ts';
import { GjenoppbyggingController } from './drift/gjenoppbygging.controller.ts';
import { Gjenoppbygging } from './drift/gjenoppbygging.ts';
import { ParkerteController } from './drift/parkerte.controller.ts';
import { Parkerte } from './drift/parkerte.ts';
import type { Hva } from './drift/status.ts';
import { ORGANISASJON, Tilgangsvakt } from './tilgang/tilgang.ts';

/** What the controllers work with; started and stopped by `main.ts`. */
export interface Deler {
  pool: Pool;
  innlesning: Innlesning;
  hva: Hva;
  gjenoppbygging: Gjenoppbygging;
  adapterpool: Pool;
  synker: Synker;
  avstemming: Avstemming;
  retting: Retting;
}

@Module({})
export class IngestorModule {
  static med({
    pool,
    innlesning,
    hva,
    gjenoppbygging,
    adapterpool,
    synker,
    avstemming,
    retting,
  }: Deler): DynamicModule {
    return {
      module: IngestorModule,
      controllers: [
        AvtaleConsumer,
        DriftController,
        ParkerteController,
        GjenoppbyggingController,
        KontraktController,
        SynkController,
        AvstemmingController,
      ],
      providers: [
        { provide: Pool, useValue: pool },
        { provide: Innlesning, useValue: innlesning },
        { provide: HVA, useValue: hva },
        { provide: Parkerte, useValue: new Parkerte(pool, innlesning) },
        { provide: Gjenoppbygging, useValue: gjenoppbygging },
        { provide: Adapterpool, useValue: new Adapterpool(adapterpool) },
        { provide: Synker, useValue: synker },
        { provide: Avstemming, useValue: avstemming },
        { provide: Retting, useValue: retting },
        { provide: ORGANISASJON, useValue: hva.organisasjon },
        { provide: APP_GUARD, useClass: Tilgangsvakt },
        { provide: APP_INTERCEPTOR, useClass: Databasefeil },
      ],
    };
  }
}
