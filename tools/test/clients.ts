import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkDir, freePort, LOCAL_DIR, ROOT, runProgram, startPostgres } from '@tiltak/testing';
import { countJest, countSurefire, lastLines } from './count.ts';
import type { Report } from './reporter.ts';
import { run, runJest } from './run.ts';

/**
 * The clients of all languages, as they are published and against the same scenarios (clients/conformance), with a Postgres
 * of the run's own. The last line counts the tests of both.
 */
const { directory, clean } = createWorkDir('klienter');
process.once('exit', clean);
const log = join(LOCAL_DIR, 'logs', 'test-klienter-postgres.log');
const postgres = await startPostgres({ port: await freePort(), dataDir: join(directory, 'postgres'), logFile: log });
process.env['TEST_POSTGRES_URL'] = postgres.url;
// None of these tests needs one.
process.env['TEST_KAFKA_BROKERS'] = 'none';
try {
  const parts = [await testTypeScript(), await testKotlin()];
  process.exitCode = parts.every(({ failed }) => failed === 0) ? 0 : 1;
  console.log(lastLines(parts).join('\n'));
} finally {
  await postgres.stop();
}

function testTypeScript(): Promise<Report> {
  // After a flag: jest takes what follows its reporters for more of them.
  return runJest(['--runInBand', 'clients/typescript', 'tools/build/client.spec.ts']);
}

async function testKotlin(): Promise<Report> {
  if ((await runProgram('mvn', ['-version'])).code === undefined) {
    console.error('Maven is missing: install it, so that `mvn` is in PATH; it makes the client for Kotlin.');
    return countJest(undefined, false);
  }
  const kotlin = join(ROOT, 'clients', 'kotlin');
  const reports = join(kotlin, 'target', 'surefire-reports');
  rmSync(reports, { recursive: true, force: true });
  // Jars, sources and documentation too: what is published.
  const args = ['-q', '-B', '-ntp', '-f', join(kotlin, 'pom.xml'), 'verify'];
  const { succeeded } = await run(args, {}, 'mvn');
  const suites = globSync(join(reports, 'TEST-*.xml')).map((file) => readFileSync(file, 'utf8'));
  return countSurefire(suites, succeeded);
}
