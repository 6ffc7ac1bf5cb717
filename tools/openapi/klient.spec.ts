import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROT } from '@tiltak/testing';
import { KLIENTSKJEMAER, lesKlientskjema } from './klient.ts';

test.each(Object.keys(KLIENTSKJEMAER) as (keyof typeof KLIENTSKJEMAER)[])(
  '%s has the types of the published document: run npm run openapi',
  (fil) => {
    // In a process of its own: the generator's dependencies can't be loaded by jest's module loader.
    const program = `import { lagKlientskjema } from './klient.ts'; process.stdout.write(await lagKlientskjema('${fil}'));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: join(ROT, 'tools', 'openapi'),
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
      env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1' },
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(lesKlientskjema(fil));
  },
  30_000,
);
