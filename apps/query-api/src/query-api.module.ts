import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.ts';
import { ConsumerLimits } from './access/consumer-limits.ts';
import { Konsumenter } from './access/konsumenter.ts';
import { OpenRequests } from './access/open-requests.ts';
import { AvtalerController } from './avtaler/avtaler.controller.ts';
import { ChangesController } from './changes/changes.controller.ts';
import { FeedTail } from './changes/feed-tail.ts';
import { CoverageController } from './coverage/coverage.controller.ts';
import { Coverage } from './coverage/coverage.ts';
import { ExportController } from './export/export.controller.ts';
import { Export } from './export/export.ts';
import { FreshnessController } from './freshness/freshness.controller.ts';
import { Freshness } from './freshness/freshness.ts';
import { GraphqlController } from './graphql/graphql.controller.ts';
import { DenialLog } from './lookups/denial-log.ts';
import { Lookups } from './lookups/lookups.ts';
import { OwnAccessController } from './own-access/own-access.controller.ts';
import { OwnAccess } from './own-access/own-access.ts';
import { PersonerController } from './personer/personer.controller.ts';
import { resourceController } from './resources/resource.controller.ts';
import { ResourceFeeds } from './resources/resource-feeds.ts';
import { RESOURCES } from './resources/resources.ts';
import { SubscriptionFeed } from './subscriptions/subscription-feed.ts';
import { SubscriptionWatch } from './subscriptions/subscription-watch.ts';
import { SubscriptionsController } from './subscriptions/subscriptions.controller.ts';
import { SubscriptionStore } from './subscriptions/subscriptions.store.ts';
import { StatisticsController } from './statistics/statistics.controller.ts';

/** What the controllers and the guard work with; made, started and stopped in `query-api.ts`. */
export interface Parts {
  lookups: Lookups;
  denialLog: DenialLog;
  limits: ConsumerLimits;
  freshness: Freshness;
  konsumenter: Konsumenter;
  coverage: Coverage;
  openRequests: OpenRequests;
  feedTail: FeedTail;
  resourceFeeds: ResourceFeeds;
  exports: Export;
  ownAccess: OwnAccess;
  subscriptions: SubscriptionStore;
  subscriptionWatch: SubscriptionWatch;
  subscriptionFeed: SubscriptionFeed;
}

const CONTROLLERS = [
  PersonerController,
  AvtalerController,
  ChangesController,
  SubscriptionsController,
  ExportController,
  GraphqlController,
  FreshnessController,
  CoverageController,
  StatisticsController,
  OwnAccessController,
  ...RESOURCES.map(resourceController),
];

@Module({})
export class QueryApiModule {
  static with(parts: Parts): DynamicModule {
    const { lookups, denialLog, limits, freshness, konsumenter, coverage, openRequests, feedTail, exports, ownAccess } =
      parts;
    const { subscriptions, subscriptionWatch, subscriptionFeed, resourceFeeds } = parts;
    return {
      module: QueryApiModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: Lookups, useValue: lookups },
        { provide: DenialLog, useValue: denialLog },
        { provide: ConsumerLimits, useValue: limits },
        { provide: Freshness, useValue: freshness },
        { provide: Konsumenter, useValue: konsumenter },
        { provide: Coverage, useValue: coverage },
        { provide: OpenRequests, useValue: openRequests },
        { provide: FeedTail, useValue: feedTail },
        { provide: ResourceFeeds, useValue: resourceFeeds },
        { provide: Export, useValue: exports },
        { provide: OwnAccess, useValue: ownAccess },
        { provide: SubscriptionStore, useValue: subscriptions },
        { provide: SubscriptionWatch, useValue: subscriptionWatch },
        { provide: SubscriptionFeed, useValue: subscriptionFeed },
        { provide: APP_GUARD, useClass: AccessGuard },
      ],
    };
  }

  /** The routes with nothing behind them: their controllers are made, and must not be called. */
  static forDocument(): DynamicModule {
    const providers = [
      ...[Lookups, Freshness, Coverage, FeedTail, ResourceFeeds, Export, OwnAccess],
      ...[SubscriptionStore, SubscriptionWatch, SubscriptionFeed],
    ].map((provide) => ({ provide, useValue: null }));
    return { module: QueryApiModule, controllers: CONTROLLERS, providers };
  }
}
