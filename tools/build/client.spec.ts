import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

/** The TypeScript client as a consumer gets it: packed, unpacked among the consumer's modules, and used from there. */
let consumer: string;

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'tools', 'build', 'client.mjs')], { stdio: 'inherit' });
  consumer = mkdtempSync(join(tmpdir(), 'klient-'));
  const modules = join(consumer, 'node_modules');
  const target = join(modules, '@navikt', 'tiltak-datadeling-klient');
  mkdirSync(target, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', consumer], {
    cwd: join(ROOT, 'dist', 'clients', 'typescript'),
    encoding: 'utf8',
  });
  execFileSync('tar', ['-xzf', packed.trim(), '-C', target, '--strip-components=1'], { cwd: consumer });
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers', '@types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(consumer, 'package.json'), '{"type":"module"}');
}, 120_000);
afterAll(() => rmSync(consumer, { recursive: true, force: true }));

const installed = (): string => join(consumer, 'node_modules', '@navikt', 'tiltak-datadeling-klient');

test('runs from node_modules without a flag', () => {
  const program = `import * as klient from '@navikt/tiltak-datadeling-klient'; console.log(Object.keys(klient).join());`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: consumer,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  expect(stderr).toBe('');
  expect(stdout.trim().split(',')).toEqual(
    expect.arrayContaining([
      'createQueryApiClient',
      'followAvtaler',
      'PostgresStore',
      'clientCredentials',
      'ProblemError',
    ]),
  );
});

test('a strict consumer compiles with its types, and so does the program of the README', () => {
  const readme = readFileSync(join(installed(), 'README.md'), 'utf8');
  const program = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  expect(program).toContain('followAvtaler');
  writeFileSync(join(consumer, 'readme.ts'), program);
  writeFileSync(
    join(consumer, 'main.ts'),
    `import { answerOf, createQueryApiClient, MemoryStore, type Schemas } from '@navikt/tiltak-datadeling-klient';
     const client = createQueryApiClient({ baseUrl: 'http://127.0.0.1', getToken: () => 't' });
     export const store = new MemoryStore();
     export const answer: Promise<Schemas['Avtaleside']> = answerOf(client.POST('/api/v1/avtaler/sok', { body: {} }));
     // @ts-expect-error it is a number
     void client.POST('/api/v1/avtaler/sok', { body: { antall: 'x' } });`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, 'main.ts', 'readme.ts'], {
    cwd: consumer,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
});

test('holds JavaScript, types, source maps and a README, of the version of the API, and nothing else', () => {
  const files = readdirSync(installed());
  const kinds = files.map((name) => name.replace(/^[\w-]+(\.schema)?\./, '.'));
  expect([...new Set(kinds)].sort()).toEqual(['.d.ts', '.js', '.js.map', '.json', '.md']);
  const { version, private: isPrivate } = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as {
    version: string;
    private?: boolean;
  };
  const document = JSON.parse(readFileSync(join(ROOT, 'apps', 'query-api', 'openapi.json'), 'utf8')) as {
    info: { version: string };
  };
  expect([version, isPrivate]).toEqual([document.info.version, undefined]);
  expect(files).toContain('client.d.ts');
});
