import { deltakerIdWith, createDataSource, createPool } from '@tiltak/database';
import { logger, measurePools, startHttp, type Stop } from '@tiltak/platform';
import type { Kafka } from 'kafkajs';
import { createAdapter } from './adapter/adapter.ts';
import { allowLargePages } from './adapter/body-limit.ts';
import { Avstemming } from './avstemming/avstemming.ts';
import { acceptLists } from './avstemming/source-list.ts';
import { AvstemmingRepair } from './avstemming/repair.ts';
import { AVTALE_EVENT } from './ingest/avtaler.consumer.ts';
import { Ingest } from './ingest/ingest.ts';
import type { Config } from './config.ts';
import { databaseOptionsFrom, prepareDatabase } from './database/connect.ts';
import { Rebuild } from './operations/rebuild/rebuild.job.ts';
import { Topic, type TopicReading } from './kafka/topic-reader.ts';
import { CONSOLE_ROUTES, serveConsole } from './operations/console/console.ts';
import { ChangeFeedPruning } from './changes/prune.job.ts';
import { FreshnessMeter } from './freshness/freshness.job.ts';
import { IngestorModule, type Parts } from './ingestor.module.ts';
import { BatchConsumer, type ConsumerOptions } from './kafka/batch-consumer.ts';
import { createKafka } from './kafka/client.ts';
import { preparePositions, readExtents } from './kafka/positions.queries.ts';
import { DOCUMENT_ROUTES, openApiText, serveOpenApi } from './openapi.ts';
import { RelationsBackfill } from './relations/backfill.job.ts';

/**
 * Starts the ingestor: HTTP first, so that the platform sees a living process while it waits; then the database and its
 * schema; then consumption and the measuring of freshness. Stops in reverse.
 */
export async function startIngestor(config: Config): Promise<Stop> {
  logger.level = config.LOG_LEVEL;
  const topic = config.KAFKA_TOPIC;
  const deltakerId = deltakerIdWith(config.DELTAKER_ID_NOEKKEL);
  const dataSource = createDataSource(databaseOptionsFrom(config));
  const pool = createPool(databaseOptionsFrom(config));
  const kafka = kafkaOf(config);
  const admin = kafka.admin();
  const consumption = {
    topic,
    pattern: AVTALE_EVENT,
    groupId: config.KAFKA_GROUP_ID ?? `tiltak-datadeling-${config.ORGANISASJON}`,
    concurrentPartitions: config.KAFKA_SAMTIDIGE_PARTISJONER,
  };
  const strategy = new BatchConsumer(kafka, consumption, (partitions) =>
    preparePositions(dataSource, admin, topic, partitions),
  );
  const ingest = new Ingest(pool, deltakerId);
  const thisTopic = new Topic(
    topic,
    () => readExtents(admin, topic),
    (reading) => createReader(kafka, consumption, reading),
  );
  const rebuild = new Rebuild(pool, ingest, thisTopic);
  const adapter = createAdapter(config, kafkaOf(config, { attempt: 3 }), pool);
  const avstemming = new Avstemming(pool, thisTopic, {
    maxLines: config.AVSTEMMING_MAKS_LINJER,
    deadlineSeconds: config.AVSTEMMING_FRIST_SEKUNDER,
  });
  const freshness = new FreshnessMeter(dataSource, admin, topic);
  const backfill = new RelationsBackfill(pool);
  const pruning = new ChangeFeedPruning(dataSource, config.ENDRINGER_BEHOLDES_DAGER);

  let started = false;
  const http = await startHttp({
    module: IngestorModule.with({
      pool,
      ingest,
      served: { organisasjon: config.ORGANISASJON, topic },
      rebuild,
      adapterPool: adapter.adapterPool,
      syncs: adapter.syncs,
      avstemming,
      repair: new AvstemmingRepair(pool, ingest, adapter.publisher, thisTopic),
    }),
    config,
    // A list of some million avtaler takes its time.
    maxSeconds: 600,
    openRoutes: [...CONSOLE_ROUTES, ...DOCUMENT_ROUTES],
    readiness: {
      oppstart: () => started,
      database: () => pool.query('select 1').then(() => true),
      kafka: () => strategy.isMember,
    },
    configure: (app) => {
      serveOpenApi(serveConsole(acceptLists(allowLargePages(app))));
      app.connectMicroservice({ strategy: strategy });
    },
  });
  await prepareDatabase(config, dataSource, deltakerId);
  await admin.connect();
  await http.app.startAllMicroservices();
  measurePools({ stream: pool, adapter: adapter.adapterPool });
  freshness.start();
  pruning.start();
  backfill.start();
  rebuild.follow();
  adapter.start();
  await avstemming.showLast();
  started = true;
  logger.info({ organisasjon: config.ORGANISASJON, topic, port: config.PORT }, 'The ingestor is started');

  return async () => {
    await rebuild.end();
    await http.stop();
    await adapter.stop();
    await freshness.stop();
    await pruning.stop();
    await backfill.stop();
    await admin.disconnect();
    await dataSource.destroy();
    await pool.end();
  };
}

/** Prints the OpenAPI document, for `npm run openapi`. Nothing that the controllers work with is used. */
export async function printOpenApi(): Promise<void> {
  process.stdout.write(await openApiText(IngestorModule.with({ served: { organisasjon: '', topic: '' } } as Parts)));
}

function kafkaOf(config: Config, options: { attempt?: number } = {}): Kafka {
  return createKafka({
    ...options,
    brokers: config.KAFKA_BROKERS,
    clientId: `ingestor-${config.ORGANISASJON}`,
    caPath: config.KAFKA_CA_PATH,
    certificatePath: config.KAFKA_CERTIFICATE_PATH,
    keyPath: config.KAFKA_PRIVATE_KEY_PATH,
  });
}

/** In a group of its own, so that the stream is left alone. */
function createReader(
  kafka: Kafka,
  consumption: ConsumerOptions,
  { purpose: what, handle: process, positions }: TopicReading,
): BatchConsumer {
  const reader = new BatchConsumer(
    kafka,
    { ...consumption, pattern: what, groupId: `${consumption.groupId}-${what}` },
    positions,
  );
  reader.addHandler(what, process);
  return reader;
}
