import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AvtalerController } from './avtaler/avtaler.controller.ts';
import { ExportController } from './export/export.controller.ts';
import { Export } from './export/export.ts';
import { ChangesController } from './changes/changes.controller.ts';
import { FeedWaiter } from './changes/feed-waiter.ts';
import { Reader } from './lookups/reader.ts';
import { FreshnessController } from './freshness/freshness.controller.ts';
import { Freshness } from './freshness/freshness.ts';
import { GraphqlController } from './graphql/graphql.controller.ts';
import { AuditLog } from './lookups/audit-log.ts';
import { PersonerController } from './personer/personer.controller.ts';
import { StatisticsController } from './statistics/statistics.controller.ts';
import { Konsumenter } from './access/konsumenter.ts';
import { AccessGuard } from './access/access.guard.ts';

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
