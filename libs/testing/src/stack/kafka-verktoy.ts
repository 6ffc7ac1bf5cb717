import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ManglerVerktoy } from './mangler-verktoy.ts';
import { kjorProgram } from './prosess.ts';
import { LOKALT, ROT } from './steder.ts';

const POM = join(ROT, 'tools', 'lokal', 'kafka', 'pom.xml');

/**
 * Fetches what Kafka needs, the first time.
 *
 * @returns the directory of its jars
 * @throws ManglerVerktoy when there is no Java, one that is too old, or no Maven to fetch with
 */
export async function klargjorKafka(): Promise<string> {
  await krevJava();
  const libs = join(LOKALT, 'kafka', katalognavn(readFileSync(POM, 'utf8')));
  if (!existsSync(libs)) await hentJarer(libs);
  return libs;
}

async function krevJava(): Promise<void> {
  const { kode, utskrift } = await kjorProgram('java', ['-version']);
  if (kode !== 0) {
    throw new ManglerVerktoy('Java is missing: install a JDK or JRE, version 17 or newer, so that `java` is in PATH.');
  }
  const versjon = Number(/version "(?:1\.)?(\d+)/.exec(utskrift)?.[1] ?? 0);
  if (versjon < 17) {
    throw new ManglerVerktoy(
      `Java 17 or newer is needed to run Kafka: \`java\` in PATH is version ${String(versjon)}; install a newer JDK or JRE.`,
    );
  }
}

/** The version for people, the digest so that any change of the pom is fetched. */
function katalognavn(pom: string): string {
  const versjon = /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1] ?? '';
  return `libs-${versjon}-${createHash('sha256').update(pom).digest('hex').slice(0, 8)}`;
}

/** The directory appears under its name only when it is whole. */
async function hentJarer(libs: string): Promise<void> {
  if ((await kjorProgram('mvn', ['-version'])).kode === undefined) {
    throw new ManglerVerktoy(
      'Maven is missing: install it, so that `mvn` is in PATH; it fetches Kafka the first time.',
    );
  }
  console.error('Fetching Apache Kafka with Maven (43 MB, the first time only) …');
  const uferdig = `${libs}.${String(process.pid)}`;
  mkdirSync(dirname(libs), { recursive: true });
  const { kode, utskrift } = await kjorProgram('mvn', [
    '-q',
    '-B',
    '-f',
    POM,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${uferdig}`,
  ]);
  try {
    if (kode !== 0) throw new Error(`Maven could not fetch Kafka:\n${utskrift.slice(-2_000)}`);
    renameSync(uferdig, libs);
  } catch (feil) {
    rmSync(uferdig, { recursive: true, force: true });
    // Another run was faster.
    if (!existsSync(libs)) throw feil;
  }
}
