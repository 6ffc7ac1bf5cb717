import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MissingToolError } from './missing-tool-error.ts';
import { runProgram } from './process.ts';
import { LOCAL_DIR, ROOT } from './paths.ts';

const POM = join(ROOT, 'tools', 'local', 'kafka', 'pom.xml');

/**
 * Fetches what Kafka needs, the first time.
 *
 * @returns the directory of its jars
 * @throws MissingToolError when there is no Java, one that is too old, or no Maven to fetch with
 */
export async function prepareKafka(): Promise<string> {
  await requireJava();
  const libs = join(LOCAL_DIR, 'kafka', directoryName(readFileSync(POM, 'utf8')));
  if (!existsSync(libs)) await getJars(libs);
  return libs;
}

async function requireJava(): Promise<void> {
  const { code, printout } = await runProgram('java', ['-version']);
  if (code !== 0) {
    throw new MissingToolError(
      'Java is missing: install a JDK or JRE, version 17 or newer, so that `java` is in PATH.',
    );
  }
  const version = Number(/version "(?:1\.)?(\d+)/.exec(printout)?.[1] ?? 0);
  if (version < 17) {
    throw new MissingToolError(
      `Java 17 or newer is needed to run Kafka: \`java\` in PATH is version ${String(version)}; install a newer JDK or JRE.`,
    );
  }
}

/** The version for people, the digest so that any change of the pom is fetched. */
function directoryName(pom: string): string {
  const version = /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1] ?? '';
  return `libs-${version}-${createHash('sha256').update(pom).digest('hex').slice(0, 8)}`;
}

/** The directory appears under its name only when it is whole. */
async function getJars(libs: string): Promise<void> {
  if ((await runProgram('mvn', ['-version'])).code === undefined) {
    throw new MissingToolError(
      'Maven is missing: install it, so that `mvn` is in PATH; it fetches Kafka the first time.',
    );
  }
  console.error('Fetching Apache Kafka with Maven (43 MB, the first time only) …');
  const unfinished = `${libs}.${String(process.pid)}`;
  mkdirSync(dirname(libs), { recursive: true });
  const { code, printout } = await runProgram('mvn', [
    '-q',
    '-B',
    '-f',
    POM,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${unfinished}`,
  ]);
  try {
    if (code !== 0) throw new Error(`Maven could not fetch Kafka:\n${printout.slice(-2_000)}`);
    renameSync(unfinished, libs);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another run was faster.
    if (!existsSync(libs)) throw error;
  }
}
