import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Pool } from 'pg';
import { AccessGuard, ADMITTED, type Admitted } from './access.guard.ts';
import { Adapter } from './adapter/adapter.ts';
import { ContractController } from './adapter/contract.controller.ts';
import { ReleaseController } from './adapter/release.controller.ts';
import { SyncController } from './adapter/sync.controller.ts';
import { pushController } from './adapter/pushed/pushed.controller.ts';
import { AvstemmingController } from './avstemming/avstemming.controller.ts';
import { Avstemming } from './avstemming/avstemming.ts';
import { AvstemmingRepair } from './avstemming/repair.ts';
import { GiveWay } from './background/give-way.ts';
import { DatabaseUnavailableInterceptor } from './database/unavailable.interceptor.ts';
import { IdenterConsumer } from './identer/identer.consumer.ts';
import { AvtalerConsumer } from './ingest/avtaler.consumer.ts';
import { GroupWriter } from './ingest/group-writer.ts';
import { PersonWriter } from './ingest/person-writer.ts';
import { Writer } from './ingest/writer.ts';
import { ActionsController } from './operations/actions.controller.ts';
import { ConditionController } from './operations/condition/condition.controller.ts';
import { HeldController } from './operations/held/held.controller.ts';
import { OrganisasjonerController } from './operations/organisasjoner/organisasjoner.controller.ts';
import { ParkedBulk } from './operations/parked/bulk.job.ts';
import { ParkedController } from './operations/parked/parked.controller.ts';
import { ParkedReplay } from './operations/parked/replay.ts';
import { RebuildController } from './operations/rebuild/rebuild.controller.ts';
import { Rebuilds } from './operations/rebuild/rebuilds.ts';
import { RelationCheckController } from './operations/relation-check/relation-check.controller.ts';
import { SERVED, type Served } from './operations/served.ts';
import { StorageController } from './operations/storage/storage.controller.ts';
import { StorageMeter } from './operations/storage/storage.job.ts';
import { StatusController } from './operations/status.controller.ts';
import { RESOURCES } from './resources/resources.ts';
import { VirksomheterController } from './operations/virksomheter/virksomheter.controller.ts';

/** What the controllers work with; made, started and stopped by `ingestor.ts`. */
export interface Parts {
  served: Served;
  admitted: Admitted;
  pool: Pool;
  writer: Writer;
  groupWriter: GroupWriter;
  personWriter: PersonWriter;
  giveWay: GiveWay;
  parkedReplay: ParkedReplay;
  parkedBulk: ParkedBulk;
  rebuilds: Rebuilds;
  adapter: Adapter;
  storageMeter: StorageMeter;
  avstemming: Avstemming;
  avstemmingRepair: AvstemmingRepair;
}

@Module({
  controllers: [
    AvtalerConsumer,
    IdenterConsumer,
    StatusController,
    ConditionController,
    OrganisasjonerController,
    RelationCheckController,
    StorageController,
    VirksomheterController,
    ActionsController,
    ReleaseController,
    ParkedController,
    HeldController,
    RebuildController,
    ContractController,
    SyncController,
    ...RESOURCES.flatMap(({ resource, push }) => (push ? [pushController(resource, push)] : [])),
    AvstemmingController,
  ],
  providers: [
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_INTERCEPTOR, useClass: DatabaseUnavailableInterceptor },
  ],
})
export class IngestorModule {
  /** @param parts left out for the document, which is of the controllers alone: none of them can be called then */
  static with(parts?: Parts): DynamicModule {
    return {
      module: IngestorModule,
      providers: [
        { provide: SERVED, useValue: parts?.served },
        { provide: ADMITTED, useValue: parts?.admitted },
        { provide: Pool, useValue: parts?.pool },
        { provide: Writer, useValue: parts?.writer },
        { provide: GroupWriter, useValue: parts?.groupWriter },
        { provide: PersonWriter, useValue: parts?.personWriter },
        { provide: GiveWay, useValue: parts?.giveWay },
        { provide: ParkedReplay, useValue: parts?.parkedReplay },
        { provide: ParkedBulk, useValue: parts?.parkedBulk },
        { provide: Rebuilds, useValue: parts?.rebuilds },
        { provide: Adapter, useValue: parts?.adapter },
        { provide: StorageMeter, useValue: parts?.storageMeter },
        { provide: Avstemming, useValue: parts?.avstemming },
        { provide: AvstemmingRepair, useValue: parts?.avstemmingRepair },
      ],
    };
  }
}
