import {
  connectAndWait,
  createDataSource,
  createPool,
  deltakerIdWith,
  KEYED_ONLY,
  type DeltakerId,
} from '@tiltak/database';
import type { Pool } from 'pg';
import { logger, measurePools, startHttp, type Http, type Stop } from '@tiltak/platform';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import { authorizeFor, type Admitted } from './access.guard.ts';
import { Adapter } from './adapter/adapter.ts';
import { allowLargePages } from './adapter/body-limit.ts';
import { asyncApiText } from './asyncapi/document.ts';
import { thisBuild } from './build.ts';
import { Avstemming } from './avstemming/avstemming.ts';
import { AvstemmingRepair } from './avstemming/repair.ts';
import { AvstemmingSchedule } from './avstemming/schedule.job.ts';
import { acceptLists } from './avstemming/source-list.ts';
import { GiveWay } from './background/give-way.ts';
import { SubscriptionCleanup } from './changes/subscriptions.job.ts';
import { TimelineNote } from './changes/timeline.job.ts';
import type { Config } from './config.ts';
import { databaseOptionsFrom, logWaiting, prepareDatabase } from './database/connect.ts';
import { FreshnessMeter } from './freshness/freshness.job.ts';
import { IDENT_EVENT } from './identer/identer.consumer.ts';
import { AVTALE_EVENT } from './ingest/avtaler.consumer.ts';
import { FormerIdents } from './ingest/former-idents.job.ts';
import { GroupWriter } from './ingest/group-writer.ts';
import { PersonWriter } from './ingest/person-writer.ts';
import { ResourceWriter } from './ingest/resource-writer.ts';
import { Writer } from './ingest/writer.ts';
import { IngestorModule, type Parts } from './ingestor.module.ts';
import type { MessageBatch } from './kafka/batch.ts';
import { createKafkaConnection, type KafkaConnection } from './kafka/connection.ts';
import type { Publisher } from './kafka/publisher.ts';
import { DOCUMENT_ROUTES, openApiText, serveOpenApi } from './openapi.ts';
import { CONSOLE_ROUTES, serveConsole } from './operations/console/console.ts';
import { serveCondition } from './operations/condition/open-condition.ts';
import { Measurements } from './operations/condition/measurements.job.ts';
import { AVTALER } from './operations/ressurs.dto.ts';
import { OPEN_CONDITION_ROUTE, parseOrganisasjoner } from './operations/organisasjoner/organisasjoner.ts';
import { ParkedBulk } from './operations/parked/bulk.job.ts';
import { ParkedReplay } from './operations/parked/replay.ts';
import { ParkedRetention } from './operations/parked/retention.job.ts';
import { rebuildPersons } from './operations/rebuild/person-rebuild.ts';
import { Rebuild } from './operations/rebuild/rebuild.job.ts';
import { rebuildAvtaler, rebuildResource } from './operations/rebuild/rebuildable.ts';
import { Rebuilds } from './operations/rebuild/rebuilds.ts';
import { RelationCheck } from './operations/relation-check/relation-check.job.ts';
import { RelationsBackfill } from './relations/backfill.job.ts';
import { VersionCheck } from './relations/version-check.job.ts';
import { ResourceConsumer } from './resources/resource.consumer.ts';
import { topicsOf } from './resources/resources.ts';
import { Retention } from './retention/retention.job.ts';
import { retentionRules } from './retention/rules.ts';
import { StorageMeter } from './operations/storage/storage.job.ts';
import { Statistics } from './statistics/statistics.job.ts';
import { UsageSummary } from './statistics/usage.job.ts';
import { Trigger } from './trigger/trigger.job.ts';

/** An ingestor that is put together and not started: nothing has connected yet. */
export interface Ingestor extends Parts {
  config: Config;
  deltakerId: DeltakerId;
  /** for what goes on in the background */
  dataSource: DataSource;
  /** of the stream: one connection */
  groupPool: Pool;
  /** of what is stored beside the stream, by those on duty */
  backgroundPool: Pool;
  /** what is done beside the stream does it in pieces, when the stream has nothing to do */
  giveWay: GiveWay;
  kafka: KafkaConnection;
  /** of the resources that have a topic, by it */
  resourceWriters: ReadonlyMap<string, ResourceWriter>;
  /** what goes on in the background, in the order in which it starts */
  jobs: readonly Job[];
  /** Serves the page of those on duty. */
  serveConsole: (app: NestFastifyApplication) => void;
}

interface Job {
  start: () => void;
  stop: () => Promise<void>;
}

/** What is made otherwise where there is no Kafka, no build and no time to wait: in specs. */
export interface Replacements {
  kafka?: typeof createKafkaConnection;
  serveConsole?: Ingestor['serveConsole'];
  /** how long a reconciliation waits for the stream, ms */
  avstemmingWaitMs?: () => number;
}

export function createIngestor(config: Config, replacements: Replacements = {}): Ingestor {
  const deltakerId = deltakerIdWith(config.DELTAKER_ID_NOEKKEL);
  const dataSource = createDataSource(databaseOptionsFrom(config));
  const pool = createPool(databaseOptionsFrom(config));
  const groupPool = createKeyedPool(config, { lock_timeout: '2000' });
  const resources = topicsOf(config);
  const patterns = { avtaler: AVTALE_EVENT, identer: IDENT_EVENT, resources };
  const kafka = (replacements.kafka ?? createKafkaConnection)(config, dataSource, patterns);
  const { topic, foreground } = kafka;
  const giveWay = new GiveWay(foreground);
  const writer = new Writer(pool, deltakerId, keepsFormerIdents(config));
  const personWriter = new PersonWriter(pool, deltakerId);
  const adapter = new Adapter(config, publishersOf(kafka), pool);
  const storageMeter = new StorageMeter(pool, config.DB_PLASS_GB);
  const resourceWriters = consumeResources(resources, { pool, kafka, giveWay });
  const onDuty = createForDuty(config, { pool, deltakerId, personWriter, kafka, giveWay, resourceWriters, resources });
  const avstemming = new Avstemming(pool, topic, giveWay, {
    maxLines: config.AVSTEMMING_MAKS_LINJER,
    deadlineSeconds: config.AVSTEMMING_FRIST_SEKUNDER,
    waitMs: replacements.avstemmingWaitMs,
  });
  return {
    config,
    deltakerId,
    dataSource,
    pool,
    groupPool,
    giveWay,
    kafka,
    writer,
    groupWriter: new GroupWriter(groupPool, writer),
    personWriter,
    resourceWriters,
    ...servedBy(config),
    ...onDuty,
    adapter,
    storageMeter,
    avstemming,
    jobs: [
      kafka.group,
      ...freshnessMeters(config, dataSource, kafka),
      kafka.watch,
      new Retention(pool, retentionRules(config)),
      new SubscriptionCleanup(dataSource),
      new TimelineNote(dataSource),
      new RelationsBackfill(pool, giveWay),
      new VersionCheck(dataSource, pool, giveWay, thisBuild()),
      new FormerIdents(writer),
      new ParkedRetention(pool),
      onDuty.parkedBulk,
      new Statistics(pool, config.KAFKA_TOPIC),
      new UsageSummary(pool),
      ...jobsOfThePage(config, pool, { avstemming, storageMeter, giveWay }),
      ...onDuty.rebuilds.all,
      ...resources.flatMap(({ ingest }) => ingest.jobs?.({ pool, giveWay }) ?? []),
      ...publishingJobs(config, kafka, adapter),
    ],
    serveConsole: replacements.serveConsole ?? serveConsole,
  };
}

function freshnessMeters(config: Config, dataSource: DataSource, kafka: KafkaConnection): Job[] {
  return [
    new FreshnessMeter(dataSource, config.KAFKA_TOPIC, kafka.describe),
    ...kafka.resourceStreams.map((of) => new FreshnessMeter(dataSource, of.topic, () => of.source.describe(), of.name)),
  ];
}

/** What adapters may push to. */
function publishersOf({ publisher, resourceStreams }: KafkaConnection): Record<string, Publisher> {
  const others = resourceStreams.map((resource) => [resource.name, resource.publisher] as const);
  return { [AVTALER]: publisher, ...Object.fromEntries(others) };
}

/** By topic, what writes it. */
function consumeResources(
  resources: ReturnType<typeof topicsOf>,
  { pool, kafka, giveWay }: Pick<Ingestor, 'pool' | 'kafka' | 'giveWay'>,
): Map<string, ResourceWriter> {
  const writers = new Map(resources.map(({ ingest, topic }) => [topic, new ResourceWriter(pool, ingest)]));
  for (const { name, topic, stream } of kafka.resourceStreams) {
    const writer = writers.get(topic);
    if (!writer) continue;
    const consumer = new ResourceConsumer(writer, giveWay);
    stream.addHandler(name, (batches: readonly MessageBatch[]) => consumer.receive(batches));
  }
  return writers;
}

function publishingJobs(config: Config, { triggerPublisher }: KafkaConnection, { completion }: Adapter): Job[] {
  return triggerPublisher ? [completion, new Trigger(config, triggerPublisher)] : [completion];
}

function keepsFormerIdents(config: Config): boolean {
  return config.HISTORIKK_TIDLIGERE_IDENT === 'BEHOLDES';
}

type ForDuty = Pick<Ingestor, 'backgroundPool' | 'parkedReplay' | 'parkedBulk' | 'rebuilds' | 'avstemmingRepair'>;

/** What stores for those on duty, over connections that are none of the stream's. */
function createForDuty(
  config: Config,
  given: Pick<Ingestor, 'pool' | 'deltakerId' | 'personWriter' | 'kafka' | 'giveWay' | 'resourceWriters'> & {
    resources: readonly TopicResource[];
  },
): ForDuty {
  const { pool, deltakerId, personWriter, giveWay } = given;
  const { topic, publisher } = given.kafka;
  const backgroundPool = createKeyedPool(config);
  const writer = new Writer(backgroundPool, deltakerId, keepsFormerIdents(config));
  const others = { identer: { writer: personWriter, topic: config.IDENT_TOPIC }, resources: given.resourceWriters };
  const parkedReplay = new ParkedReplay(pool, writer, others, topic, giveWay);
  return {
    backgroundPool,
    parkedReplay,
    parkedBulk: new ParkedBulk(pool, parkedReplay, giveWay),
    rebuilds: createRebuilds(config, { ...given, pool, writer }),
    avstemmingRepair: new AvstemmingRepair(pool, writer, publisher, topic, giveWay),
  };
}

type TopicResource = ReturnType<typeof topicsOf>[number];

/** Of avtaler first, which is meant where nothing is named. */
function createRebuilds(
  config: Config,
  {
    pool,
    writer,
    personWriter,
    kafka,
    giveWay,
    resources,
  }: Pick<Ingestor, 'pool' | 'writer' | 'personWriter' | 'kafka' | 'giveWay'> & { resources: readonly TopicResource[] },
): Rebuilds {
  const maxPercent = config.ADAPTER_MAKS_SLETTES_PROSENT;
  const { identTopic } = kafka;
  const persons = identTopic && rebuildPersons(pool, personWriter, { topic: identTopic, giveWay, maxPercent });
  return new Rebuilds([
    new Rebuild(pool, rebuildAvtaler(pool, writer, kafka.topic), giveWay),
    ...kafka.resourceStreams.flatMap(({ topic, source }) => {
      const ingest = resources.find((resource) => resource.topic === topic)?.ingest;
      if (!ingest) return [];
      const beside = { writer: new ResourceWriter(pool, ingest), topic: source, maxPercent };
      return [new Rebuild(pool, rebuildResource(pool, ingest, beside), giveWay)];
    }),
    ...(persons ? [new Rebuild(pool, persons, giveWay)] : []),
  ]);
}

/** @throws StartupError when an organisation that is listed has no address */
function servedBy(config: Config): Pick<Parts, 'served' | 'admitted'> {
  const { ORGANISASJON: organisasjon, KAFKA_TOPIC: topic, VIRKSOMHET_TOPIC: virksomhetTopic } = config;
  const identTopic = config.IDENT_TOPIC;
  return {
    served: {
      organisasjon,
      topic,
      virksomhetTopic,
      identTopic,
      organisasjoner: parseOrganisasjoner(config.DRIFT_ORGANISASJONER),
    },
    admitted: {
      organisasjon,
      groupsOnDuty: config.DRIFT_GRUPPER,
      adapterMayWrite: config.ADAPTER_KAN_SKRIVE,
      outside: outsideAdapterOf(config),
    },
  };
}

function outsideAdapterOf(config: Config): Admitted['outside'] {
  const { MASKINPORTEN_ORGANISASJONSNUMMER: organisasjonsnummer, MASKINPORTEN_SCOPE: scope } = config;
  if (organisasjonsnummer === undefined || scope === undefined) return undefined;
  return { organisasjonsnummer, scope, suppliers: config.MASKINPORTEN_LEVERANDOERER };
}

/** What those on duty are shown, and the reports that come by themselves. */
function jobsOfThePage(
  config: Config,
  pool: Pool,
  { avstemming, storageMeter, giveWay }: Pick<Ingestor, 'avstemming' | 'storageMeter' | 'giveWay'>,
): Job[] {
  return [
    new Measurements(pool, config.KAFKA_TOPIC),
    storageMeter,
    new RelationCheck(pool, config.RELASJONSKONTROLL_HVER_TIMER, giveWay),
    new AvstemmingSchedule(pool, avstemming, {
      everyHours: config.AVSTEMMING_HVER_TIMER,
      client: config.AZURE_APP_CLIENT_ID,
    }),
  ];
}

/**
 * Of the stream: a partition that was not stored is tried again beside the others, and what waits for a lock for longer
 * than `lock_timeout` is found out batch by batch, so that it holds its own partition only. And of what is stored beside
 * it, which takes none of the stream's connections: one piece at a time, and what somebody waits for.
 */
function createKeyedPool(config: Config, more: Readonly<Record<string, string>> = {}): Pool {
  return createPool({ ...databaseOptionsFrom(config), poolSize: 2, settings: { ...KEYED_ONLY, ...more } });
}

/**
 * HTTP first, so that the platform sees a living process while it waits; then the database and its schema; then Kafka
 * and the stream; then what goes on in the background. Stops in reverse, but first of all it takes part in no rebuild any
 * more, and HTTP and the stream stop before the other jobs: freshness is measured for as long as messages are stored.
 */
export async function startIngestor(ingestor: Ingestor): Promise<Stop> {
  const { config, dataSource, pool, groupPool, backgroundPool, adapter, kafka, jobs } = ingestor;
  logger.level = config.LOG_LEVEL;
  const state = { schema: false, started: false };
  const http = await serve(ingestor, state);
  await prepareDatabase(config, dataSource, ingestor.deltakerId);
  state.schema = true;
  await kafka.connect();
  await http.app.startAllMicroservices();
  measurePools({ strom: pool, gruppe: groupPool, bakgrunn: backgroundPool, adapter: adapter.pool });
  for (const job of jobs) job.start();
  await connectAndWait(dataSource, logWaiting, () => ingestor.avstemming.showLast());
  state.started = true;
  const { ORGANISASJON: organisasjon, KAFKA_TOPIC: topic, PORT: port } = config;
  logger.info({ organisasjon, topic, port }, 'The ingestor is started');

  return async () => {
    await Promise.all(ingestor.rebuilds.all.map((rebuild) => rebuild.stop()));
    await ingestor.parkedBulk.stop();
    await http.stop();
    for (const job of jobs.toReversed()) await job.stop();
    await kafka.disconnect();
    await dataSource.destroy();
    await adapter.pool.end();
    await groupPool.end();
    await backgroundPool.end();
    await pool.end();
  };
}

function serve(ingestor: Ingestor, state: { schema: boolean; started: boolean }): Promise<Http> {
  const { config, pool, kafka, adapter } = ingestor;
  return startHttp({
    module: IngestorModule.with(ingestor),
    config,
    // Those on duty.
    takesPersons: true,
    authorize: authorizeFor(ingestor.admitted),
    openRoutes: [...CONSOLE_ROUTES, ...DOCUMENT_ROUTES, OPEN_CONDITION_ROUTE],
    readiness: {
      oppstart: () => state.started,
      skjema: () => state.schema,
      // One that can only be read is of no use here.
      database: () => pool.query<Writable>(WRITABLE).then(({ rows }) => rows[0]?.writable === true),
      kafka: () => kafka.group.isConsuming,
    },
    configure: (app) => {
      allowLargePages(app, adapter);
      acceptLists(app);
      markSessions(app);
      ingestor.serveConsole(app);
      serveCondition(app, ingestor);
      serveOpenApi(app);
      app.connectMicroservice({ strategy: kafka.stream });
      if (kafka.identStream) app.connectMicroservice({ strategy: kafka.identStream });
      for (const { stream } of kafka.resourceStreams) app.connectMicroservice({ strategy: stream });
    },
  });
}

/** Those on duty come with the session of the login proxy. */
function markSessions(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onRoute', (route) => {
    if (route.url.startsWith('/drift/v1/')) route.config = { ...route.config, isAskedBySession: true };
  });
}

interface Writable {
  writable: boolean;
}

const WRITABLE = `select not current_setting('transaction_read_only')::boolean as writable`;

/** Prints the OpenAPI document, for `npm run openapi`. */
export async function printOpenApi(): Promise<void> {
  process.stdout.write(await openApiText(IngestorModule.with()));
}

/** Prints the document of the topics, for the same. */
export async function printAsyncApi(): Promise<void> {
  process.stdout.write(asyncApiText(await openApiText(IngestorModule.with())));
}
