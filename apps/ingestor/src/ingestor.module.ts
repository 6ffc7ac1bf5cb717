import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Pool } from 'pg';
import { AvtaleConsumer } from './avtaler/avtaler.consumer.ts';
import { Innlesning } from './avtaler/avtaler.innlesning.ts';
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
}

@Module({})
export class IngestorModule {
  static med({ pool, innlesning, hva, gjenoppbygging }: Deler): DynamicModule {
    return {
      module: IngestorModule,
      controllers: [AvtaleConsumer, DriftController, ParkerteController, GjenoppbyggingController],
      providers: [
        { provide: Pool, useValue: pool },
        { provide: Innlesning, useValue: innlesning },
        { provide: HVA, useValue: hva },
        { provide: Parkerte, useValue: new Parkerte(pool, innlesning) },
        { provide: Gjenoppbygging, useValue: gjenoppbygging },
        { provide: ORGANISASJON, useValue: hva.organisasjon },
        { provide: APP_GUARD, useClass: Tilgangsvakt },
      ],
    };
  }
}
