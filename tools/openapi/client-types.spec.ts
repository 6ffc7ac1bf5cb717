import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { createKotlinFile, KOTLIN_FILES, type KotlinFile } from './kotlin-types.ts';
import { CLIENT_SCHEMAS, KNOWN_VALUES_FILE, readClientSchema } from './client-types.ts';

test.each(Object.keys(CLIENT_SCHEMAS) as (keyof typeof CLIENT_SCHEMAS)[])(
  '%s has the types of the published document: run npm run openapi',
  (file) => {
    expect(written(`createClientSchema('${file}')`)).toBe(readClientSchema(file));
  },
  30_000,
);

test('the client knows the values of the published document: run npm run openapi', () => {
  expect(written('createKnownValues()')).toBe(readFileSync(KNOWN_VALUES_FILE, 'utf8'));
});

test.each(Object.keys(KOTLIN_FILES) as KotlinFile[])(
  '%s of the client for Kotlin is as the published document: run npm run openapi',
  (file) => {
    expect(createKotlinFile(file)).toBe(readFileSync(KOTLIN_FILES[file], 'utf8'));
  },
);

/** In a process of its own: the generator's dependencies can't be loaded by jest's module loader. */
function written(expression: string): string {
  const program = `import * as types from './client-types.ts'; process.stdout.write(await types.${expression});`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(ROOT, 'tools', 'openapi'),
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
    env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1' },
  });
  expect(stderr).toBe('');
  return stdout;
}
