import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.ts';
import { Konsumenter } from './access/konsumenter.ts';
import { OpenRequests } from './access/open-requests.ts';
import { AvtalerController } from './avtaler/avtaler.controller.ts';
import { ChangesController } from './changes/changes.controller.ts';
import { FeedWaiter } from './changes/feed-waiter.ts';
import { CoverageController } from './coverage/coverage.controller.ts';
import { Coverage } from './coverage/coverage.ts';
import { ExportController } from './export/export.controller.ts';
import { Export } from './export/export.ts';
import { FreshnessController } from './freshness/freshness.controller.ts';
import { Freshness } from './freshness/freshness.ts';
import { GraphqlController } from './graphql/graphql.controller.ts';
import { AuditLog } from './lookups/audit-log.ts';
import { Lookups } from './lookups/lookups.ts';
import { PersonerController } from './personer/personer.controller.ts';
import { StatisticsController } from './statistics/statistics.controller.ts';

/** What the controllers and the guard work with; made, started and stopped in `query-api.ts`. */
export interface Parts {
  lookups: Lookups;
  auditLog: AuditLog;
  freshness: Freshness;
  konsumenter: Konsumenter;
  coverage: Coverage;
  openRequests: OpenRequests;
  feedWaiter: FeedWaiter;
  exports: Export;
}

const CONTROLLERS = [
  PersonerController,
  AvtalerController,
  ChangesController,
  ExportController,
  GraphqlController,
  FreshnessController,
  CoverageController,
  StatisticsController,
];

@Module({})
export class QueryApiModule {
  static with(parts: Parts): DynamicModule {
    const { lookups, auditLog, freshness, konsumenter, coverage, openRequests, feedWaiter, exports } = parts;
    return {
      module: QueryApiModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: Lookups, useValue: lookups },
        { provide: AuditLog, useValue: auditLog },
        { provide: Freshness, useValue: freshness },
        { provide: Konsumenter, useValue: konsumenter },
        { provide: Coverage, useValue: coverage },
        { provide: OpenRequests, useValue: openRequests },
        { provide: FeedWaiter, useValue: feedWaiter },
        { provide: Export, useValue: exports },
        { provide: APP_GUARD, useClass: AccessGuard },
      ],
    };
  }

  /** The routes with nothing behind them: their controllers are made, and must not be called. */
  static forDocument(): DynamicModule {
    const providers = [Lookups, Freshness, Coverage, FeedWaiter, Export].map((provide) => ({
      provide,
      useValue: null,
    }));
    return { module: QueryApiModule, controllers: CONTROLLERS, providers };
  }
}
