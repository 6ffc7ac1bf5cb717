import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * The TypeScript client as it is published: JavaScript with types and source maps in dist/clients/typescript, which is
 * what `npm publish` takes. In the repository it is used as it is written.
 */
const root = join(import.meta.dirname, '..', '..');
const source = join(root, 'clients', 'typescript');
const target = join(root, 'dist', 'clients', 'typescript');

rmSync(target, { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', join(source, 'tsconfig.build.json')], { stdio: 'inherit' });
if (status !== 0) process.exit(1);

const described = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
const document = JSON.parse(readFileSync(join(root, 'apps', 'query-api', 'openapi.json'), 'utf8'));
const published = {
  ...described,
  private: undefined,
  // Of the API that it speaks to.
  version: document.info.version,
  exports: { '.': { types: './client.d.ts', default: './client.js' } },
  sideEffects: false,
  engines: { node: '>=20' },
};
writeFileSync(join(target, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
copyFileSync(join(source, 'README.md'), join(target, 'README.md'));
