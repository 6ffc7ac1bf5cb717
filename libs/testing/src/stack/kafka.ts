import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { klargjorKafka } from './kafka-verktoy.ts';
import { kjorProgram, ledigPort, startProsess, ventTil, type Prosess } from './prosess.ts';

export interface LokalKafka {
  brokers: string;
  prosess: () => Prosess;
  stopp: () => Promise<void>;
  /** SIGKILL */
  drep: () => Promise<void>;
  /** again, on the same data */
  startIgjen: () => Promise<void>;
}

/**
 * Real Apache Kafka, one node, on 127.0.0.1. Fetches its jars with Maven the first time.
 *
 * @param dataDir where its data is; kept when it stops, and continued from when it starts there again
 * @throws ManglerVerktoy saying what to install
 */
export async function startKafka({
  port,
  dataDir,
  loggfil,
}: {
  port: number;
  dataDir: string;
  loggfil: string;
}): Promise<LokalKafka> {
  const libs = await klargjorKafka();
  const kontrollport = await ledigPort();
  mkdirSync(dataDir, { recursive: true });
  const oppsett = skrivOppsett(dataDir, port, kontrollport);
  if (!existsSync(join(dataDir, 'logg', 'meta.properties'))) await formater(libs, oppsett.egenskaper);
  const start = async (): Promise<Prosess> => {
    const prosess = startProsess(
      'java',
      [...javavalg(libs, oppsett.log4j), 'kafka.Kafka', oppsett.egenskaper],
      loggfil,
    );
    try {
      await ventTil(
        async () => {
          if (prosess.avsluttet()) throw new Error(`Kafka ended at once (${String(prosess.utfall())}); see ${loggfil}`);
          return svarer(port);
        },
        { hva: `Kafka; see ${loggfil}`, maksMs: 60_000, hverMs: 100 },
      );
    } catch (feil) {
      await prosess.drep();
      throw feil;
    }
    return prosess;
  };
  let prosess = await start();
  return {
    brokers: `127.0.0.1:${String(port)}`,
    prosess: () => prosess,
    stopp: () => prosess.stopp(8_000),
    drep: () => prosess.drep(),
    startIgjen: async () => {
      prosess = await start();
    },
  };
}

function javavalg(libs: string, log4j: string): string[] {
  return ['-Xms128m', '-Xmx512m', '-XX:+UseG1GC', `-Dlog4j2.configurationFile=${log4j}`, '-cp', join(libs, '*')];
}

async function formater(libs: string, egenskaper: string): Promise<void> {
  const klynge = randomBytes(16).toString('base64url');
  const { kode, utskrift } = await kjorProgram('java', [
    '-cp',
    join(libs, '*'),
    'kafka.tools.StorageTool',
    'format',
    // An id that begins with a hyphen would be read as an option.
    `--cluster-id=${klynge}`,
    '-c',
    egenskaper,
  ]);
  if (kode !== 0) throw new Error(`Kafka's storage could not be prepared:\n${utskrift.slice(-2_000)}`);
}

/** A broker that was killed is let in again when its old session has run out: after 9 s, unless told otherwise. */
const SESJON_MS = 4_000;

function skrivOppsett(dataDir: string, port: number, kontrollport: number): { egenskaper: string; log4j: string } {
  const egenskaper = join(dataDir, 'server.properties');
  writeFileSync(
    egenskaper,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${String(kontrollport)}
listeners=PLAINTEXT://127.0.0.1:${String(port)},CONTROLLER://127.0.0.1:${String(kontrollport)}
advertised.listeners=PLAINTEXT://127.0.0.1:${String(port)}
controller.listener.names=CONTROLLER
log.dirs=${join(dataDir, 'logg').replaceAll('\\', '/')}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=${String(SESJON_MS)}
broker.heartbeat.interval.ms=${String(SESJON_MS / 4)}
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
  return { egenskaper, log4j };
}

async function svarer(port: number): Promise<boolean> {
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
