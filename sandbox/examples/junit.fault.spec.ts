import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

/** What a consumer in Java would have: Maven fetches JUnit, so it runs at night. */
test('a JUnit test starts the sandbox and asks it as a consumer', () => {
  const command = [process.execPath, join(ROOT, 'dist', 'sandbox', 'main.cjs'), '--port', '0'].join(' ');
  const pom = join(ROOT, 'sandbox', 'examples', 'junit', 'pom.xml');
  const { status, stdout } = spawnSync('mvn', ['-q', '-B', '-f', pom, 'test', `-Dsandkasse.kommando=${command}`], {
    encoding: 'utf8',
  });
  expect([status, status === 0 ? '' : stdout]).toEqual([0, '']);
}, 600_000);
