import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AvtalerController } from './avtaler/avtaler.controller.ts';
import { EksportController } from './eksport/eksport.controller.ts';
import { Eksport } from './eksport/eksport.ts';
import { EndringerController } from './endringer/endringer.controller.ts';
import { Stromvakt } from './endringer/stromvakt.ts';
import { Lesing } from './database/lesing.ts';
import { FerskhetController } from './ferskhet/ferskhet.controller.ts';
import { Ferskhet } from './ferskhet/ferskhet.ts';
import { GraphqlController } from './graphql/graphql.controller.ts';
import { Oppslagslogg } from './oppslag/oppslagslogg.ts';
import { PersonerController } from './personer/personer.controller.ts';
import { StatistikkController } from './statistikk/statistikk.controller.ts';
import { Konsumenter } from './tilgang/konsumenter.ts';
import { Tilgangsvakt } from './tilgang/tilgang.ts';

/** What the controllers work with; started and stopped by `main.ts`. */
export interface Deler {
  lesing: Lesing;
  oppslagslogg: Oppslagslogg;
  ferskhet: Ferskhet;
  konsumenter: Konsumenter;
  stromvakt: Stromvakt;
  eksport: Eksport;
}

@Module({})
export class QueryApiModule {
  static med({ lesing, oppslagslogg, ferskhet, konsumenter, stromvakt, eksport }: Deler): DynamicModule {
    return {
      module: QueryApiModule,
      controllers: [
        PersonerController,
        AvtalerController,
        EndringerController,
        EksportController,
        GraphqlController,
        FerskhetController,
        StatistikkController,
      ],
      providers: [
        { provide: Lesing, useValue: lesing },
        { provide: Oppslagslogg, useValue: oppslagslogg },
        { provide: Ferskhet, useValue: ferskhet },
        { provide: Konsumenter, useValue: konsumenter },
        { provide: Stromvakt, useValue: stromvakt },
        { provide: Eksport, useValue: eksport },
        { provide: APP_GUARD, useClass: Tilgangsvakt },
      ],
    };
  }
}
