import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { ledigPort, startProsess, ventTil, type Prosess } from './prosess.ts';
import { LOKALT, ROT } from './steder.ts';

const VERSJON = '4.4.0';

export interface LokalKafka {
  brokers: string;
  prosess: () => Prosess;
  stopp: () => Promise<void>;
  /** SIGKILL */
  drep: () => Promise<void>;
  /** again, on the same data */
  startIgjen: () => Promise<void>;
}

/** Something that must be on the machine is missing; the message says what to install. */
export class ManglerVerktoy extends Error {}

/** Real Apache Kafka, one node, on 127.0.0.1. Fetches its jars with Maven the first time. */
export async function startKafka({ port, dataDir, loggfil }: { port: number; dataDir: string; loggfil: string }): Promise<LokalKafka> {
  krevJava();
  const libs = hentJarer();
  const kontrollport = await ledigPort();
  mkdirSync(dataDir, { recursive: true });
  const oppsett = skrivOppsett(dataDir, port, kontrollport);
  if (!existsSync(join(dataDir, 'logg', 'meta.properties'))) formater(libs, oppsett.egenskaper);
  const start = async (): Promise<Prosess> => {
    const prosess = startProsess('java', [...javavalg(libs, oppsett.log4j), 'kafka.Kafka', oppsett.egenskaper], loggfil);
    await ventTil(
      async () => {
        if (prosess.avsluttet()) throw new Error(`Kafka ended at once; see ${loggfil}`);
        return svarer(port);
      },
      { hva: 'Kafka', maksMs: 60_000, hverMs: 100 },
    );
    return prosess;
  };
  let prosess = await start();
  return {
    brokers: `127.0.0.1:${String(port)}`,
    prosess: () => prosess,
    stopp: () => prosess.stopp(20_000),
    drep: () => prosess.drep(),
    startIgjen: async () => {
      prosess = await start();
    },
  };
}

function javavalg(libs: string, log4j: string): string[] {
  return ['-Xms128m', '-Xmx512m', '-XX:+UseG1GC', `-Dlog4j2.configurationFile=${log4j}`, '-cp', join(libs, '*')];
}

export function krevJava(): void {
  const { stderr, status } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (status !== 0) throw new ManglerVerktoy('Java is missing: install a JDK or JRE, version 17 or newer, so that `java` is in PATH.');
  const versjon = Number(/version "(?:1\.)?(\d+)/.exec(stderr)?.[1] ?? 0);
  if (versjon < 17) throw new ManglerVerktoy(`Java 17 or newer is needed to run Kafka; \`java\` in PATH is version ${String(versjon)}.`);
}

/** A directory appears under its name only when it is whole. */
function hentJarer(): string {
  const libs = join(LOKALT, 'kafka', `libs-${VERSJON}`);
  if (existsSync(libs)) return libs;
  const uferdig = `${libs}.${String(process.pid)}`;
  const { status, stdout, error } = spawnSync(
    'mvn',
    ['-q', '-B', '-f', join(ROT, 'tools', 'lokal', 'kafka', 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${uferdig}`],
    { encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (error) throw new ManglerVerktoy('Maven is missing: install it, so that `mvn` is in PATH; it fetches Kafka the first time.');
  if (status !== 0) {
    rmSync(uferdig, { recursive: true, force: true });
    throw new Error(`Maven could not fetch Kafka:\n${stdout.slice(-2_000)}`);
  }
  if (existsSync(libs)) rmSync(uferdig, { recursive: true });
  else renameSync(uferdig, libs);
  return libs;
}

function formater(libs: string, egenskaper: string): void {
  const { status, stderr, stdout } = spawnSync(
    'java',
    ['-cp', join(libs, '*'), 'kafka.tools.StorageTool', 'format', '-t', 'dGlsdGFrLWRhdGFkZWxpbg', '-c', egenskaper],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`Kafka's storage could not be prepared:\n${stdout}${stderr}`.slice(0, 2_000));
}

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
