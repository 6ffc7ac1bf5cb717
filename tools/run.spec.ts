import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProgram, createWorkDir, ROOT, waitUntil } from '@tiltak/testing';

// In a project of its own: what it installs must not be this one.
const { directory, clean } = createWorkDir('spec');
afterAll(clean);

const PACKAGE = { version: '1.0.0', integrity: 'sha512-a' };
const LOCK = {
  '': { name: 'prosjekt' },
  'node_modules/a': PACKAGE,
  'node_modules/annen-plattform': { ...PACKAGE, optional: true },
};

interface Project {
  root: string;
  run: (args: string[]) => Promise<{ code: number | undefined; printout: string }>;
  start: (args: string[]) => ChildProcess;
}

/** @param installed what npm has noted as installed; undefined: nothing is */
function createProject(name: string, installed?: object): Project {
  const root = join(directory, name);
  const create = (...parts: string[]): string => {
    mkdirSync(join(root, ...parts), { recursive: true });
    return join(root, ...parts);
  };
  copyFileSync(join(ROOT, 'tools', 'run.mjs'), join(create('tools'), 'run.mjs'));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: LOCK }));
  if (installed) {
    writeFileSync(join(create('node_modules'), '.package-lock.json'), JSON.stringify({ packages: installed }));
    symlinkSync(process.execPath, join(create('node_modules', 'node', 'bin'), 'node'));
  }
  // An npm that only tells what it was asked, and installs Node.
  const npm = join(create('bin'), 'npm');
  writeFileSync(
    npm,
    `#!/bin/sh
echo "npm $*"
test -e feiler && exit 1
mkdir -p node_modules/node/bin && ln -sf '${process.execPath}' node_modules/node/bin/node\n`,
  );
  chmodSync(npm, 0o755);
  writeFileSync(
    join(root, 'skript.ts'),
    `const [hva, fil]: string[] = process.argv.slice(2);
    import { writeFileSync } from 'node:fs';
    const si = (tekst: string) => writeFileSync(fil, tekst);
    if (hva === 'kode') process.exit(Number(fil));
    if (hva === 'hei') console.log('hei', fil, process.version);
    if (hva === 'vent') {
      for (const navn of ['SIGINT', 'SIGTERM'] as const) process.once(navn, () => { si(navn); process.exit(7); });
      setInterval(() => {}, 1_000);
      si('klar');
    }`,
  );
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  const command = (args: string[]): string[] => [join(root, 'tools', 'run.mjs'), ...args];
  return {
    root,
    run: (args) => runProgram(process.execPath, command(args), { env }),
    start: (args) => spawn(process.execPath, command(args), { env, stdio: 'ignore' }),
  };
}

const ALL = { 'node_modules/a': PACKAGE };

test('runs a script with its arguments on the Node of the project', async () => {
  const { run } = createProject('installert', ALL);
  expect(await run(['skript.ts', 'hei', 'der'])).toEqual({ code: 0, printout: `hei der ${process.version}\n` });
});

test('ends with the exit code of the script', async () => {
  const { run } = createProject('kode', ALL);
  expect((await run(['skript.ts', 'kode', '3'])).code).toBe(3);
});

test.each([
  ['nothing is installed', undefined],
  ['a package is missing', {}],
  ['a package has another version', { 'node_modules/a': { ...PACKAGE, version: '2.0.0' } }],
  ['a package has other content', { 'node_modules/a': { ...PACKAGE, integrity: 'sha512-b' } }],
  ['a package is left over', { ...ALL, 'node_modules/b': PACKAGE }],
])('installs first when %s', async (when, installed) => {
  const { run } = createProject(when.replaceAll(' ', '-'), installed);
  const { code, printout } = await run(['skript.ts', 'hei', 'der']);
  expect(printout).toContain('npm ci --include=dev');
  expect(printout).toContain('hei der');
  expect(code).toBe(0);
});

test('says so when that fails, and does not run the script', async () => {
  const { root, run } = createProject('feiler');
  writeFileSync(join(root, 'feiler'), '');
  const { code, printout } = await run(['skript.ts', 'hei', 'der']);
  expect([code, printout]).toEqual([1, expect.stringContaining('npm ci failed; what it said stands above.')]);
  expect(printout).not.toContain('hei der');
});

test('says so when the Node of the project is another one', async () => {
  const { root, run } = createProject('annen-node', ALL);
  const node = join(root, 'node_modules', 'node', 'bin', 'node');
  // Removed first: written through, the link would change the Node that runs this.
  rmSync(node);
  writeFileSync(node, '#!/bin/sh\necho v20.1.0\n', { mode: 0o755 });
  const { code, printout } = await run(['skript.ts', 'hei', 'der']);
  expect([code, printout]).toEqual([
    1,
    expect.stringMatching(/^Node 24 is needed in node_modules\/node; found v20\.1\.0\./),
  ]);
});

test.each([
  ['SIGINT', 'SIGINT', 7],
  ['SIGTERM', 'SIGTERM', 7],
  ['SIGKILL', 'SIGTERM', null],
] as const)('%s reaches the script as %s', async (sent, received, code) => {
  const { root, start } = createProject(sent, ALL);
  const file = join(root, 'sagt');
  const proc = start(['skript.ts', 'vent', file]);
  const end = new Promise((response) => proc.once('exit', response));
  await waitUntil(() => existsSync(file), { what: 'the script' });
  proc.kill(sent);
  expect(await end).toBe(code);
  await waitUntil(async () => (await runProgram('cat', [file])).printout === received, {
    what: `the script to get ${received}`,
  });
});

test('the script ends with the shell that npm ran it in', async () => {
  const { root } = createProject('shell', ALL);
  const file = join(root, 'sagt');
  const command = `'${process.execPath}' '${join(root, 'tools', 'run.mjs')}' skript.ts vent '${file}'; true`;
  const shell = spawn('sh', ['-c', command], {
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: 'start' },
  });
  await waitUntil(() => existsSync(file), { what: 'the script' });
  shell.kill('SIGKILL');
  await waitUntil(async () => (await runProgram('cat', [file])).printout === 'SIGTERM', { what: 'the script to end' });
});
