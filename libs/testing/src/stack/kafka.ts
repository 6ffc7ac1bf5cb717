import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { prepareKafka } from './kafka-jars.ts';
import { formatStorage } from './kafka-storage.ts';
import { freePort, startProcess, waitUntil, type ManagedProcess } from './process.ts';

export interface LocalKafka {
  brokers: string;
  proc: () => ManagedProcess;
  stop: () => Promise<void>;
  /** SIGKILL */
  kill: () => Promise<void>;
  /** again, on the same data */
  restart: () => Promise<void>;
}

/**
 * Real Apache Kafka, one node, on 127.0.0.1. Fetches its jars with Maven the first time.
 *
 * @param dataDir where its data is; kept when it stops, and continued from when it starts there again
 * @throws MissingToolError saying what to install
 */
export async function startKafka({
  port,
  dataDir,
  logFile,
}: {
  port: number;
  dataDir: string;
  logFile: string;
}): Promise<LocalKafka> {
  const libs = await prepareKafka();
  const controlPort = await freePort();
  mkdirSync(dataDir, { recursive: true });
  const setup = writeSetup(dataDir, port, controlPort);
  await formatStorage(libs, join(dataDir, 'logg'), setup.properties);
  const start = async (): Promise<ManagedProcess> => {
    const proc = startProcess('java', [...javaOptions(libs, setup.log4j), 'kafka.Kafka', setup.properties], logFile);
    try {
      await waitUntil(
        async () => {
          if (proc.ended()) throw new Error(`Kafka ended at once (${String(proc.outcome())}); see ${logFile}`);
          return responds(port);
        },
        { what: `Kafka; see ${logFile}`, maxMs: 180_000, everyMs: 200 },
      );
    } catch (error) {
      await proc.kill();
      throw error;
    }
    return proc;
  };
  let proc = await start();
  return {
    brokers: `127.0.0.1:${String(port)}`,
    proc: () => proc,
    stop: () => proc.stop(8_000),
    kill: () => proc.kill(),
    restart: async () => {
      proc = await start();
    },
  };
}

function javaOptions(libs: string, log4j: string): string[] {
  return ['-Xms128m', '-Xmx512m', '-XX:+UseG1GC', `-Dlog4j2.configurationFile=${log4j}`, '-cp', join(libs, '*')];
}

/** A broker that was killed is let in again when its old session has run out: after 9 s, unless told otherwise. */
const SESSION_MS = 4_000;

function writeSetup(dataDir: string, port: number, controlPort: number): { properties: string; log4j: string } {
  const properties = join(dataDir, 'server.properties');
  writeFileSync(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${String(controlPort)}
listeners=PLAINTEXT://127.0.0.1:${String(port)},CONTROLLER://127.0.0.1:${String(controlPort)}
advertised.listeners=PLAINTEXT://127.0.0.1:${String(port)}
controller.listener.names=CONTROLLER
log.dirs=${join(dataDir, 'logg').replaceAll('\\', '/')}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=${String(SESSION_MS)}
broker.heartbeat.interval.ms=${String(SESSION_MS / 4)}
log.cleaner.dedupe.buffer.size=16777216
message.max.bytes=10485760
`,
  );
  const log4j = join(dataDir, 'log4j2.properties');
  writeFileSync(
    log4j,
    `rootLogger.level=warn
rootLogger.appenderRefs=ut
rootLogger.appenderRef.ut.ref=ut
appender.ut.type=Console
appender.ut.name=ut
appender.ut.layout.type=PatternLayout
appender.ut.layout.pattern=%d %p %c %m%n
`,
  );
  return { properties, log4j };
}

async function responds(port: number): Promise<boolean> {
  const admin = new Kafka({
    brokers: [`127.0.0.1:${String(port)}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
