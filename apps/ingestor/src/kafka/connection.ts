import { randomUUID } from 'node:crypto';
import type { CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Admin, Kafka } from 'kafkajs';
import type { DataSource } from 'typeorm';
import type { Foreground } from '../background/give-way.ts';
import type { Config } from '../config.ts';
import { storeEach, type MessageBatch } from './batch.ts';
import { BatchConsumer, type ConsumerOptions, type PositionStore } from './batch-consumer.ts';
import { createKafka, type KafkaOptions } from './client.ts';
import { GroupWatch } from './group-watch.job.ts';
import { deletePassedHolds, stallPartition } from './held.queries.ts';
import { enterEpoch, preparePositions } from './prepare-positions.ts';
import { Publisher } from './publisher.ts';
import { TopicAdmin, type PartitionExtent, type TopicDescription } from './topic-admin.ts';
import { TopicWatch } from './topic-watch.job.ts';
import { Topic, type TopicReading } from './topic-reader.ts';

type Stream = Server & CustomTransportStrategy;

/** All that the ingestor has to do with Kafka. */
export interface KafkaConnection {
  /** the stream of messages, as Nest's transport */
  stream: Stream;
  /** whether the stream has something to do */
  foreground: Foreground;
  /** the stream of the person register, when there is one */
  identStream: Stream | undefined;
  /** and its topic, to be read again beside that */
  identTopic: Topic | undefined;
  /** of each resource that has a topic, the stream of it: for who takes its batches */
  resourceStreams: readonly ResourceStream[];
  /** the topic, to be read again beside the stream */
  topic: Topic;
  publisher: Publisher;
  /** of the trigger topic, when there is one; whoever uses it stops it */
  triggerPublisher: Publisher | undefined;
  /** who is in the stream's consumer group, and whether the stream gets on */
  group: Pick<GroupWatch, 'isConsuming' | 'start' | 'stop'>;
  /** notices that a topic is another, or has removed what was not read */
  watch: TopicWatch;
  /** Of the stream's topic. Waits for Kafka as long as it takes. */
  describe: () => Promise<TopicDescription>;
  /** Waits for Kafka as long as it takes; topics and groups are asked about over this. */
  connect: () => Promise<void>;
  disconnect: () => Promise<void>;
}

/** A resource's topic: its stream, itself to be read again beside that, and what writes to it. */
export interface ResourceStream {
  name: string;
  topic: string;
  stream: Stream;
  source: Topic;
  publisher: Publisher;
}

/**
 * Nothing connects yet.
 *
 * @param patterns of the handlers that take the streams' batches
 */
export function createKafkaConnection(
  config: Config,
  dataSource: DataSource,
  patterns: { avtaler: string; identer: string; resources?: readonly { name: string; topic: string }[] },
): KafkaConnection {
  const [topic, options] = [config.KAFKA_TOPIC, kafkaOptions(config)];
  const kafka = createKafka(options);
  const admin = new TopicAdmin(options);
  const groupAdmin = kafka.admin();
  const consumption = {
    topic,
    pattern: patterns.avtaler,
    groupId: config.KAFKA_GROUP_ID ?? `tiltak-datadeling-${config.ORGANISASJON}`,
    isStream: true,
  };
  const createStream = (stream: ConsumerOptions): BatchConsumer =>
    new BatchConsumer(kafka, stream, storedPositions(dataSource, admin, stream.topic));
  const createTopic = (stream: ConsumerOptions): Topic => topicOf(stream, { kafka, admin, dataSource });
  const identer = { pattern: patterns.identer, groupId: `${consumption.groupId}-identer` };
  // Gives up: whoever waits for an answer over HTTP is told that Kafka is away.
  const createPublisher = (name: string): Publisher => new Publisher({ ...options, retries: 3 }, name);
  const made = { createStream, createTopic, createPublisher };
  const resourceStreams = streamsOf(patterns.resources ?? [], consumption, made);
  const publisher = createPublisher(topic);
  const avtaler = createTopic(consumption);
  const stream = createStream(consumption);
  const persons =
    config.IDENT_TOPIC === undefined ? undefined : { ...consumption, ...identer, topic: config.IDENT_TOPIC };
  const watched = [
    { topic, resource: 'avtaler' },
    ...(config.IDENT_TOPIC === undefined ? [] : [{ topic: config.IDENT_TOPIC, resource: 'identer' }]),
    ...resourceStreams.map((resource) => ({ topic: resource.topic, resource: resource.name })),
  ];
  return {
    stream,
    foreground: stream,
    group: new GroupWatch(groupAdmin, stream, { groupId: consumption.groupId, clientId: clientIdOf(config) }),
    identStream: persons && createStream(persons),
    identTopic: persons && createTopic(persons),
    resourceStreams,
    topic: avtaler,
    publisher,
    triggerPublisher: config.TRIGGER_TOPIC === undefined ? undefined : createPublisher(config.TRIGGER_TOPIC),
    watch: new TopicWatch(dataSource, watched, (name) => admin.describe(name)),
    describe: () => admin.describe(topic),
    ...connecting(admin, groupAdmin, [publisher, ...resourceStreams.map((resource) => resource.publisher)]),
  };
}

function connecting(
  admin: TopicAdmin,
  groupAdmin: Admin,
  publishers: readonly Publisher[],
): Pick<KafkaConnection, 'connect' | 'disconnect'> {
  return {
    connect: async () => {
      await Promise.all([admin.connect(), groupAdmin.connect()]);
    },
    disconnect: async () => {
      await Promise.all(publishers.map((publisher) => publisher.stop()));
      admin.disconnect();
      await groupAdmin.disconnect();
    },
  };
}

/** Each in a group of its own. */
function streamsOf(
  resources: readonly { name: string; topic: string }[],
  consumption: ConsumerOptions,
  {
    createStream,
    createTopic,
    createPublisher,
  }: {
    createStream: (options: ConsumerOptions) => Stream;
    createTopic: (options: ConsumerOptions) => Topic;
    createPublisher: (topic: string) => Publisher;
  },
): ResourceStream[] {
  return resources.map(({ name, topic }) => {
    const own = { ...consumption, topic, pattern: name, groupId: `${consumption.groupId}-${name}` };
    return { name, topic, stream: createStream(own), source: createTopic(own), publisher: createPublisher(topic) };
  });
}

/** The topic of a stream, to be read again beside it. */
function topicOf(
  { topic, ...stream }: ConsumerOptions,
  { kafka, admin, dataSource }: { kafka: Kafka; admin: TopicAdmin; dataSource: DataSource },
): Topic {
  const describe = (): Promise<TopicDescription> => admin.describe(topic);
  return new Topic(topic, describe, ({ purpose, handle, positions }: TopicReading): BatchConsumer => {
    // In a group that is not the stream's, so that the stream is left alone. Ingestors share a rebuild; every other
    // reading is one process's, and another would take its partitions. Kafka forgets a group that nobody is in.
    const group = purpose === 'gjenoppbygging' ? purpose : `${purpose}-${randomUUID()}`;
    const reading = { ...stream, topic, pattern: purpose, groupId: `${stream.groupId}-${group}`, isStream: false };
    const reader = new BatchConsumer(kafka, reading, {
      prepare: async () => {
        const description = await describe();
        const epoch = await enterEpoch(dataSource, topic, description, describe);
        const stored = await positions({ ...description, epoch });
        return { epoch, topicId: description.id, positions: within(description.partitions, stored) };
      },
      readTopicId: (partition) => admin.readId(topic, partition),
    });
    reader.addHandler(purpose, (batches: readonly MessageBatch[]) => storeEach(batches, handle));
    return reader;
  });
}

/** On the topic: a position that it does not hold would be asked for again and again. */
function within(extents: readonly PartitionExtent[], positions: ReadonlyMap<number, number>): Map<number, number> {
  const there = extents.flatMap(({ partition, start, end }) => {
    const position = positions.get(partition);
    return position === undefined ? [] : [[partition, Math.min(Math.max(position, start), end)] as const];
  });
  return new Map(there);
}

/** Where a stream is, in the database. */
function storedPositions(dataSource: DataSource, admin: TopicAdmin, topic: string): PositionStore {
  return {
    prepare: async (partitions) => {
      const prepared = await preparePositions(dataSource, topic, () => admin.describe(topic), partitions);
      await deletePassedHolds(dataSource, topic);
      return prepared;
    },
    readTopicId: (partition) => admin.readId(topic, partition),
    stall: (place, batch) => stallPartition(dataSource, { topic, ...place }, batch),
  };
}

function clientIdOf({ ORGANISASJON: organisasjon }: Config): string {
  return `ingestor-${organisasjon}`;
}

function kafkaOptions(config: Config): KafkaOptions {
  return {
    brokers: config.KAFKA_BROKERS,
    clientId: clientIdOf(config),
    caPath: config.KAFKA_CA_PATH,
    certificatePath: config.KAFKA_CERTIFICATE_PATH,
    keyPath: config.KAFKA_PRIVATE_KEY_PATH,
  };
}
