import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AvtalerController } from './avtaler/avtaler.controller.ts';
import { ExportController } from './eksport/eksport.controller.ts';
import { Export } from './eksport/eksport.ts';
import { ChangesController } from './endringer/endringer.controller.ts';
import { FeedWaiter } from './endringer/stromvakt.ts';
import { Reader } from './database/lesing.ts';
import { FreshnessController } from './ferskhet/ferskhet.controller.ts';
import { Freshness } from './ferskhet/ferskhet.ts';
import { GraphqlController } from './graphql/graphql.controller.ts';
import { AuditLog } from './oppslag/oppslagslogg.ts';
import { PersonerController } from './personer/personer.controller.ts';
import { StatisticsController } from './statistikk/statistikk.controller.ts';
import { Konsumenter } from './tilgang/konsumenter.ts';
import { AccessGuard } from './tilgang/tilgang.ts';

/** What the controllers work with; started and stopped by `main.ts`. */
export interface Parts {
  reading: Reader;
  auditLog: AuditLog;
  ferskhet: Freshness;
  konsumenter: Konsumenter;
  feedWaiter: FeedWaiter;
  eksport: Export;
}

@Module({})
export class QueryApiModule {
  static with({
    reading,
    auditLog,
    ferskhet: freshness,
    konsumenter,
    feedWaiter,
    eksport: exported,
  }: Parts): DynamicModule {
    return {
      module: QueryApiModule,
      controllers: [
        PersonerController,
        AvtalerController,
        ChangesController,
        ExportController,
        GraphqlController,
        FreshnessController,
        StatisticsController,
      ],
      providers: [
        { provide: Reader, useValue: reading },
        { provide: AuditLog, useValue: auditLog },
        { provide: Freshness, useValue: freshness },
        { provide: Konsumenter, useValue: konsumenter },
        { provide: FeedWaiter, useValue: feedWaiter },
        { provide: Export, useValue: exported },
        { provide: APP_GUARD, useClass: AccessGuard },
      ],
    };
  }
}
