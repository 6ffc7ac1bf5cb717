import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { CLIENT_SCHEMAS, readClientSchema } from './client-types.ts';

test.each(Object.keys(CLIENT_SCHEMAS) as (keyof typeof CLIENT_SCHEMAS)[])(
  '%s has the types of the published document: run npm run openapi',
  (file) => {
    // In a process of its own: the generator's dependencies can't be loaded by jest's module loader.
    const program = `import { createClientSchema } from './client-types.ts'; process.stdout.write(await createClientSchema('${file}'));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: join(ROOT, 'tools', 'openapi'),
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
      env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1' },
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(readClientSchema(file));
  },
  30_000,
);
