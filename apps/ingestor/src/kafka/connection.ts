import type { CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Kafka } from 'kafkajs';
import type { DataSource } from 'typeorm';
import type { Config } from '../config.ts';
import { BatchConsumer, type ConsumerOptions } from './batch-consumer.ts';
import { createKafka, type KafkaOptions } from './client.ts';
import { preparePositions } from './positions.queries.ts';
import { Publisher } from './publisher.ts';
import { TopicAdmin, type PartitionExtent } from './topic-admin.ts';
import { Topic, type TopicReading } from './topic-reader.ts';

type Stream = Server & CustomTransportStrategy & { readonly isMember: boolean };

/** All that the ingestor has to do with Kafka. */
export interface KafkaConnection {
  /** the stream of messages, as Nest's transport */
  stream: Stream;
  /** the stream of the person register, when there is one */
  identStream: Stream | undefined;
  /** the topic, to be read again beside the stream */
  topic: Topic;
  publisher: Publisher;
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
  const options = kafkaOptions(config);
  const kafka = createKafka(options);
  const admin = new TopicAdmin(options);
  const allExtents = async (): Promise<PartitionExtent[]> => (await admin.describe(topic)).partitions;
  const consumption = {
    topic,
    pattern: patterns.avtaler,
    groupId: config.KAFKA_GROUP_ID ?? `tiltak-datadeling-${config.ORGANISASJON}`,
    concurrentPartitions: config.KAFKA_SAMTIDIGE_PARTISJONER,
  };
  const createStream = (options: ConsumerOptions): BatchConsumer =>
    new BatchConsumer(kafka, options, async (partitions) => {
      const description = await admin.describe(options.topic);
      const own = description.partitions.filter(({ partition }) => partitions.includes(partition));
      return preparePositions(dataSource, options.topic, own);
    });
  const identer = { pattern: patterns.identer, groupId: `${consumption.groupId}-identer`, concurrentPartitions: 1 };
  // Gives up: whoever waits for an answer over HTTP is told that Kafka is away.
  const publisher = new Publisher({ ...options, retries: 3 }, topic);
  return {
    stream: createStream(consumption),
    identStream: config.IDENT_TOPIC === undefined ? undefined : createStream({ ...identer, topic: config.IDENT_TOPIC }),
    topic: new Topic(topic, allExtents, (reading) => createReader(kafka, consumption, reading)),
    publisher,
    readExtents: allExtents,
    connect: () => admin.connect(),
    disconnect: async () => {
      await publisher.stop();
      admin.disconnect();
    },
  };
}

function kafkaOptions(config: Config): KafkaOptions {
  return {
    brokers: config.KAFKA_BROKERS,
    clientId: `ingestor-${config.ORGANISASJON}`,
    caPath: config.KAFKA_CA_PATH,
    certificatePath: config.KAFKA_CERTIFICATE_PATH,
    keyPath: config.KAFKA_PRIVATE_KEY_PATH,
  };
}

/** In a group of its own, so that the stream is left alone. */
function createReader(
  kafka: Kafka,
  consumption: ConsumerOptions,
  { purpose, handle, positions }: TopicReading,
): BatchConsumer {
  const options = { ...consumption, pattern: purpose, groupId: `${consumption.groupId}-${purpose}` };
  const reader = new BatchConsumer(kafka, options, positions);
  reader.addHandler(purpose, handle);
  return reader;
}
