import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { logger } from '@tiltak/platform';
import {
  BrokerConnection,
  type BrokerAddress,
  type BrokerConnectionOptions,
  type BrokerRequest,
} from './broker-connection.ts';
import { tlsOptions, type KafkaOptions } from './client.ts';
import { wire, type WireReader } from './wire.ts';

/** What the topic holds of a partition: from `start` to just before `end`. */
export interface PartitionExtent {
  partition: number;
  /** the oldest that has not been removed */
  start: number;
  /** behind everything that is acknowledged, also of transactions that are still open: the high watermark */
  end: number;
  /** behind what a consumer may read: before the first open transaction. At most `end`. */
  stableEnd: number;
}

export interface TopicDescription {
  /** as Kafka's own tools show it; a topic that is made anew has another */
  id: string;
  /** by number */
  partitions: PartitionExtent[];
}

/** A partition, and the broker that leads it; -1 when none does. */
interface Leadership {
  partition: number;
  leader: number;
}

type Leaders = ReadonlyMap<number, { id: number; address: BrokerAddress }>;

interface TopicMetadata {
  id: string;
  brokers: Map<number, BrokerAddress>;
  partitions: Leadership[];
}

/**
 * Asks brokers what KafkaJS can't tell: the id of a topic, and the two ends of a partition. It gives up only when it is
 * told to (`retries`), or when it is disconnected: a broker that is away is waited for, and one that is silent loses its
 * connection.
 */
export class TopicAdmin {
  private readonly connections = new Map<string, Promise<BrokerConnection>>();
  private readonly bootstrap: BrokerAddress[];
  private readonly connecting: BrokerConnectionOptions;
  private readonly stopping = new AbortController();
  private tried = 0;
  /** as last known, by topic */
  private readonly leaders = new Map<string, Leaders>();
  private readonly gathering = new Map<string, Promise<TopicMetadata>>();

  /** Nothing connects yet. */
  constructor(
    private readonly options: KafkaOptions,
    timeoutMs = 5_000,
  ) {
    this.bootstrap = options.brokers.map(parseAddress);
    this.connecting = { tls: tlsOptions(options), clientId: options.clientId, timeoutMs };
  }

  async connect(): Promise<void> {
    await this.retrying(() => this.anyBroker());
  }

  disconnect(): void {
    this.stopping.abort(new Error('Disconnected from Kafka'));
    for (const connection of this.connections.values())
      void connection.then(
        (broker) => broker.close(),
        () => undefined,
      );
  }

  /** Waits for the topic, and for a leader of each of its partitions. */
  describe(topic: string): Promise<TopicDescription> {
    return this.retrying(async () => {
      const { id, brokers, partitions } = await (await this.anyBroker()).send(metadataRequest(topic));
      const perLeader = Map.groupBy(partitions, ({ leader }) => leader);
      const extents = await Promise.all(
        [...perLeader].map(async ([leader, led]) => {
          const address = brokers.get(leader);
          if (!address) throw new Error(`A partition of ${topic} has no leader`);
          return readExtentsFrom(await this.broker(address), topic, id, led);
        }),
      );
      return { id, partitions: extents.flat().sort((a, b) => a.partition - b.partition) };
    });
  }

  /**
   * The id that the leader of the partition knows: what was fetched from there before is of this topic, or of one before
   * it. Costs one small request.
   *
   * @throws when the leader does not answer, is another by now, or has no such topic
   */
  async readId(topic: string, partition: number): Promise<string> {
    this.leaders.set(topic, this.leaders.get(topic) ?? (await this.findLeaders(topic)));
    const leader = this.leaders.get(topic)?.get(partition);
    try {
      if (!leader) throw new Error(`Partition ${String(partition)} of ${topic} has no leader`);
      const { id, partitions } = await this.askTogether(leader.address, topic);
      const leading = partitions.find((one) => one.partition === partition)?.leader;
      if (leading !== leader.id) throw new Error(`Partition ${String(partition)} of ${topic} has another leader`);
      return id;
    } catch (error) {
      this.leaders.delete(topic);
      throw error;
    }
  }

  /** Who asks at the same time shares one request, which is sent when all have asked: none is answered from before. */
  private askTogether(address: BrokerAddress, topic: string): Promise<TopicMetadata> {
    const question = `${address.host}:${String(address.port)} ${topic}`;
    const gathering = this.gathering.get(question);
    if (gathering) return gathering;
    const answer = nextTurn().then(async () => {
      this.gathering.delete(question);
      return (await this.broker(address)).send(metadataRequest(topic));
    });
    this.gathering.set(question, answer);
    return answer;
  }

  private async findLeaders(topic: string): Promise<Leaders> {
    const { brokers, partitions } = await (await this.anyBroker()).send(metadataRequest(topic));
    const leaders = partitions.flatMap(({ partition, leader: id }) => {
      const address = brokers.get(id);
      return address ? [[partition, { id, address }] as const] : [];
    });
    return new Map(leaders);
  }

  private anyBroker(): Promise<BrokerConnection> {
    const address = this.bootstrap[this.tried % this.bootstrap.length];
    if (!address) throw new Error('No broker is configured');
    return this.broker(address);
  }

  private broker(address: BrokerAddress): Promise<BrokerConnection> {
    const name = `${address.host}:${String(address.port)}`;
    const open = (): Promise<BrokerConnection> => BrokerConnection.open(address, this.connecting);
    const known = this.connections.get(name);
    const connection = known ? known.then((broker) => (broker.isOpen ? broker : open())) : open();
    // Before anybody else can ask: who comes meanwhile shares it, and none is left that nobody closes.
    this.connections.set(name, connection);
    connection.catch(() => {
      if (this.connections.get(name) === connection) this.connections.delete(name);
    });
    return connection;
  }

  private async retrying<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.stopping;
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (signal.aborted || attempt >= (this.options.retries ?? Number.MAX_SAFE_INTEGER)) throw error;
        // Passing faults, such as a new leader, are not worth a line.
        if (attempt > 1) logger.warn({ err: error }, 'Kafka could not tell of its topic; asking again');
        this.tried++;
        await wait(Math.min(300 * 2 ** Math.min(attempt, 10), 5_000), undefined, { signal });
      }
    }
  }
}

/**
 * The broker is asked once more whose offsets these are: the topic may have been made anew since.
 *
 * @throws when it was, or when the broker does not lead the partitions any more
 */
async function readExtentsFrom(
  broker: BrokerConnection,
  topic: string,
  id: string,
  led: readonly Leadership[],
): Promise<PartitionExtent[]> {
  const partitions = led.map(({ partition }) => partition);
  // In this order: each is at most the next, whatever happens between them.
  const [starts, stableEnds, ends, now] = await Promise.all([
    broker.send(listOffsetsRequest(topic, partitions, { timestamp: EARLIEST, isolation: READ_UNCOMMITTED })),
    broker.send(listOffsetsRequest(topic, partitions, { timestamp: LATEST, isolation: READ_COMMITTED })),
    broker.send(listOffsetsRequest(topic, partitions, { timestamp: LATEST, isolation: READ_UNCOMMITTED })),
    broker.send(metadataRequest(topic)),
  ]);
  if (now.id !== id) throw new Error(`The topic ${topic} has been made anew`);
  return partitions.map((partition) => ({
    partition,
    start: offsetOf(starts, partition),
    stableEnd: offsetOf(stableEnds, partition),
    end: offsetOf(ends, partition),
  }));
}

function offsetOf(offsets: ReadonlyMap<number, number>, partition: number): number {
  const offset = offsets.get(partition);
  if (offset === undefined) throw new Error(`Kafka left out partition ${String(partition)}`);
  return offset;
}

/** Version 10, of Kafka 2.8, is the first that tells the id. */
function metadataRequest(topic: string): BrokerRequest<TopicMetadata> {
  const noId = Buffer.alloc(16);
  const topics = wire.compactArray([Buffer.concat([noId, wire.compactString(topic), wire.noTags])]);
  const [createsTopics, tellsClusterRights, tellsTopicRights] = [wire.int8(0), wire.int8(0), wire.int8(0)];
  return {
    apiKey: 3,
    version: 10,
    flexible: true,
    body: Buffer.concat([topics, createsTopics, tellsClusterRights, tellsTopicRights, wire.noTags]),
    read: (answer) => readMetadata(answer, topic),
  };
}

function readMetadata(answer: WireReader, topic: string): TopicMetadata {
  answer.int32(); // throttled, ms
  const brokers = answer.compactArray(() => {
    const id = answer.int32();
    const address = { host: answer.compactString(), port: answer.int32() };
    answer.compactString(); // rack
    answer.skipTags();
    return [id, address] as const;
  });
  answer.compactString(); // cluster
  answer.int32(); // controller
  const [only] = answer.compactArray(() => {
    failOn(answer.int16(), topic);
    answer.compactString(); // name
    const id = answer.uuid().toString('base64url');
    answer.int8(); // internal
    const partitions = answer.compactArray(() => readLeadership(answer));
    answer.int32(); // rights
    answer.skipTags();
    return { id, partitions };
  });
  if (!only) throw new Error(`Kafka left out the topic ${topic}`);
  return { ...only, brokers: new Map(brokers) };
}

function readLeadership(answer: WireReader): Leadership {
  answer.int16(); // what is wrong: it has no leader then, or a replica is away
  const partition = answer.int32();
  const leader = answer.int32();
  answer.int32(); // epoch of the leader
  for (let lists = 0; lists < 3; lists++) answer.compactArray(answer.int32); // replicas: all, in sync, offline
  answer.skipTags();
  return { partition, leader };
}

const EARLIEST = -2;
const LATEST = -1;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

function listOffsetsRequest(
  topic: string,
  partitions: readonly number[],
  { timestamp, isolation }: { timestamp: number; isolation: number },
): BrokerRequest<Map<number, number>> {
  const noReplica = wire.int32(-1);
  const anyEpoch = wire.int32(-1);
  const asked = partitions.map((partition) => Buffer.concat([wire.int32(partition), anyEpoch, wire.int64(timestamp)]));
  const topics = wire.array([Buffer.concat([wire.string(topic), wire.array(asked)])]);
  return {
    apiKey: 2,
    version: 4,
    flexible: false,
    body: Buffer.concat([noReplica, wire.int8(isolation), topics]),
    read: (answer) => new Map(readOffsets(answer, topic)),
  };
}

function readOffsets(answer: WireReader, topic: string): (readonly [partition: number, offset: number])[] {
  answer.int32(); // throttled, ms
  const topics = answer.array(() => {
    answer.string();
    return answer.array(() => {
      const partition = answer.int32();
      failOn(answer.int16(), topic);
      answer.int64(); // timestamp
      const offset = Number(answer.int64());
      answer.int32(); // epoch of the leader
      return [partition, offset] as const;
    });
  });
  return topics.flat();
}

/** Those that an operator can do something about; the others have their number in Kafka's documentation. */
const ERRORS: Record<number, string> = {
  3: 'does not exist',
  5: 'has no leader',
  6: 'has another leader',
  29: 'may not be described: the rights are missing',
};

function failOn(code: number, topic: string): void {
  if (code !== 0)
    throw new Error(`The topic ${topic} ${ERRORS[code] ?? `can't be described: Kafka's error ${String(code)}`}`);
}

function parseAddress(broker: string): BrokerAddress {
  const colon = broker.lastIndexOf(':');
  const host = broker.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(broker.slice(colon + 1)) };
}
