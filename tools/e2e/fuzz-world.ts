import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { createEvents, createUpdates } from '@tiltak/simulator';
import { createWorkDir, freePort, PostgresGroup, startKafka, type LocalKafka } from '@tiltak/testing';
import type { App } from '../local/apps.ts';
import type { OneAddress } from '../local/one-address.ts';
import { System } from './system.ts';
import { Witness } from './witness.ts';

/** avtaler that are changed again and again while things fail */
const AVTALER_SEED = 71;
const CHUNK = 40;
const BETWEEN_CHUNKS_MS = 200;

/** What random faults are done to: two ingestors, two query-apis, a replica and a standby, on a broker of their own. */
export interface FuzzWorld {
  system: System;
  group: PostgresGroup;
  kafka: LocalKafka;
  address: OneAddress;
  witness: Witness;
  ingestors: App[];
  queryApis: App[];
  /** Ends the source; what it has published stays. */
  stopSource: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function startFuzzWorld(): Promise<FuzzWorld> {
  const started: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of started.splice(0).reverse()) await each();
  };
  try {
    return await start(started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(started: (() => unknown)[], stop: () => Promise<void>): Promise<FuzzWorld> {
  const { directory, clean } = createWorkDir('fuzz');
  started.push(clean);
  const logFile = (name: string): string => join(directory, `${name}.log`);
  const place = { port: await freePort(), dataDir: join(directory, 'kafka'), logFile: logFile('kafka') };
  const kafka = await startKafka(place);
  started.push(() => kafka.stop());
  const databases = join(directory, 'databases');
  const group = await PostgresGroup.start({ directory: databases, logFile, standby: true, replica: true });
  started.push(() => group.stop());
  const system = await System.create({ group, brokers: kafka.brokers });
  started.push(() => system.stop());
  await system.publish([...createEvents({ count: 1_500, seed: AVTALER_SEED })]);
  const ingestors = [await system.startIngestor(), await system.startIngestor()];
  const { address, apps: queryApis } = await system.startQueryApis(2);
  await system.waitForIngested(180_000);
  const witness = await Witness.start(system, address.url);
  const source = startSource(system);
  return { system, group, kafka, address, witness, ingestors, queryApis, stopSource: source, stop };
}

/** Changes of avtaler that there are, and new ones, all the time. @returns how it is stopped */
function startSource(system: System): () => Promise<void> {
  let going = true;
  const work = (async () => {
    for (let seed = AVTALER_SEED + 1; going; seed++) {
      const changes = [...createUpdates({ count: 400, seed: AVTALER_SEED }), ...createEvents({ count: 200, seed })];
      for (let from = 0; going && from < changes.length; from += CHUNK) {
        await system.publishUntilKept(changes.slice(from, from + CHUNK));
        await wait(BETWEEN_CHUNKS_MS);
      }
    }
  })();
  return async () => {
    going = false;
    await work;
  };
}

/** One batch of messages as another producer sends it: packed, or in a transaction that comes to nothing. */
export async function sendOtherwise(
  { system, kafka }: FuzzWorld,
  messages: { key: string; value: string | null }[],
  how: 'packed' | 'aborted',
  hangsMs = 0,
): Promise<void> {
  const client = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING, retry: { retries: 10 } });
  const producer = client.producer(how === 'aborted' ? { transactionalId: `fuzz-${String(Date.now())}` } : {});
  const { topic } = system.env;
  await producer.connect();
  try {
    if (how === 'packed') {
      await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
      return;
    }
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages });
    await wait(hangsMs);
    await transaction.abort();
  } finally {
    await producer.disconnect();
  }
}
