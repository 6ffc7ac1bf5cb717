import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROT } from '@tiltak/testing';
import { lesKlientskjema } from './klient.ts';

test('the types of the client are those of the published document: run npm run openapi', () => {
  // In a process of its own: the generator's dependencies can't be loaded by jest's module loader.
  const program = `import { lagKlientskjema } from './klient.ts'; process.stdout.write(await lagKlientskjema());`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(ROT, 'tools', 'openapi'),
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
    env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1' },
  });
  expect(stderr).toBe('');
  expect(stdout).toBe(lesKlientskjema());
}, 30_000);
