import type { CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Kafka } from 'kafkajs';
import type { DataSource } from 'typeorm';
import type { Config } from '../config.ts';
import { BatchConsumer, type ConsumerOptions } from './batch-consumer.ts';
import { createKafka } from './client.ts';
import { GroupWatch } from './group-watch.job.ts';
import { deletePassedHolds, stallPartition } from './held.queries.ts';
import { preparePositions, readExtents, type PartitionExtent } from './positions.queries.ts';
import { Publisher } from './publisher.ts';
import { Topic, type TopicReading } from './topic-reader.ts';

type Stream = Server & CustomTransportStrategy;

/** All that the ingestor has to do with Kafka. */
export interface KafkaConnection {
  /** the stream of messages, as Nest's transport */
  stream: Stream;
  /** the stream of the person register, when there is one */
  identStream: Stream | undefined;
  /** the topic, to be read again beside the stream */
  topic: Topic;
  publisher: Publisher;
  /** who is in the stream's consumer group, and whether the stream gets on */
  group: Pick<GroupWatch, 'isConsuming' | 'start' | 'stop'>;
  /** Waits for Kafka as long as it takes. */
  readExtents: () => Promise<PartitionExtent[]>;
  /** Waits for Kafka as long as it takes; the extents are read over this. */
  connect: () => Promise<void>;
  disconnect: () => Promise<void>;
}

/**
 * Nothing connects yet.
 *
 * @param patterns of the handlers that take the streams' batches
 */
export function createKafkaConnection(
  config: Config,
  dataSource: DataSource,
  patterns: { avtaler: string; identer: string },
): KafkaConnection {
  const topic = config.KAFKA_TOPIC;
  const kafka = createClient(config);
  const admin = kafka.admin();
  const allExtents = (): Promise<PartitionExtent[]> => readExtents(admin, topic);
  const consumption = {
    topic,
    pattern: patterns.avtaler,
    groupId: config.KAFKA_GROUP_ID ?? `tiltak-datadeling-${config.ORGANISASJON}`,
    concurrentPartitions: config.KAFKA_SAMTIDIGE_PARTISJONER,
  };
  const createStream = (options: ConsumerOptions): BatchConsumer =>
    new BatchConsumer(kafka, options, {
      prepare: async (partitions) => {
        const extents = await readExtents(admin, options.topic);
        const own = extents.filter(({ partition }) => partitions.includes(partition));
        const positions = await preparePositions(dataSource, options.topic, own);
        await deletePassedHolds(dataSource, options.topic);
        return positions;
      },
      stall: (partition, batch) => stallPartition(dataSource, { topic: options.topic, partition }, batch),
    });
  const identer = { pattern: patterns.identer, groupId: `${consumption.groupId}-identer`, concurrentPartitions: 1 };
  // Gives up: whoever waits for an answer over HTTP is told that Kafka is away.
  const publisher = new Publisher(createClient(config, 3), topic);
  const stream = createStream(consumption);
  return {
    stream,
    group: new GroupWatch(admin, stream, { groupId: consumption.groupId, clientId: clientIdOf(config) }),
    identStream: config.IDENT_TOPIC === undefined ? undefined : createStream({ ...identer, topic: config.IDENT_TOPIC }),
    topic: new Topic(topic, allExtents, (reading) => createReader(kafka, consumption, reading)),
    publisher,
    readExtents: allExtents,
    connect: () => admin.connect(),
    disconnect: async () => {
      await publisher.stop();
      await admin.disconnect();
    },
  };
}

function clientIdOf({ ORGANISASJON: organisasjon }: Config): string {
  return `ingestor-${organisasjon}`;
}

function createClient(config: Config, retries?: number): Kafka {
  return createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId: clientIdOf(config),
    caPath: config.KAFKA_CA_PATH,
    certificatePath: config.KAFKA_CERTIFICATE_PATH,
    keyPath: config.KAFKA_PRIVATE_KEY_PATH,
    retries,
  });
}

/** In a group of its own, so that the stream is left alone. */
function createReader(
  kafka: Kafka,
  consumption: ConsumerOptions,
  { purpose, handle, positions }: TopicReading,
): BatchConsumer {
  const options = { ...consumption, pattern: purpose, groupId: `${consumption.groupId}-${purpose}` };
  const reader = new BatchConsumer(kafka, options, { prepare: positions });
  reader.addHandler(purpose, handle);
  return reader;
}
