import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { kjorProgram, lagArbeidsmappe, ROT, ventTil } from '@tiltak/testing';

// In a project of its own: what it installs must not be this one.
const { katalog, rydd } = lagArbeidsmappe('spec');
afterAll(rydd);

const PAKKE = { version: '1.0.0', integrity: 'sha512-a' };
const LAAS = {
  '': { name: 'prosjekt' },
  'node_modules/a': PAKKE,
  'node_modules/annen-plattform': { ...PAKKE, optional: true },
};

interface Prosjekt {
  rot: string;
  kjor: (argumenter: string[]) => Promise<{ kode: number | undefined; utskrift: string }>;
  start: (argumenter: string[]) => ChildProcess;
}

/** @param installert what npm has noted as installed; undefined: nothing is */
function lagProsjekt(navn: string, installert?: object): Prosjekt {
  const rot = join(katalog, navn);
  const lag = (...deler: string[]): string => {
    mkdirSync(join(rot, ...deler), { recursive: true });
    return join(rot, ...deler);
  };
  copyFileSync(join(ROT, 'tools', 'kjor.mjs'), join(lag('tools'), 'kjor.mjs'));
  writeFileSync(join(rot, 'package-lock.json'), JSON.stringify({ packages: LAAS }));
  if (installert) {
    writeFileSync(join(lag('node_modules'), '.package-lock.json'), JSON.stringify({ packages: installert }));
    symlinkSync(process.execPath, join(lag('node_modules', 'node', 'bin'), 'node'));
  }
  // An npm that only tells what it was asked, and installs Node.
  const npm = join(lag('bin'), 'npm');
  writeFileSync(
    npm,
    `#!/bin/sh
echo "npm $*"
test -e feiler && exit 1
mkdir -p node_modules/node/bin && ln -sf '${process.execPath}' node_modules/node/bin/node\n`,
  );
  chmodSync(npm, 0o755);
  writeFileSync(
    join(rot, 'skript.ts'),
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
  const env = { ...process.env, NODE_OPTIONS: '', PATH: `${join(rot, 'bin')}${delimiter}${process.env['PATH'] ?? ''}` };
  const kommando = (argumenter: string[]): string[] => [join(rot, 'tools', 'kjor.mjs'), ...argumenter];
  return {
    rot,
    kjor: (argumenter) => kjorProgram(process.execPath, kommando(argumenter), { env }),
    start: (argumenter) => spawn(process.execPath, kommando(argumenter), { env, stdio: 'ignore' }),
  };
}

const ALT = { 'node_modules/a': PAKKE };

test('runs a script with its arguments on the Node of the project', async () => {
  const { kjor } = lagProsjekt('installert', ALT);
  expect(await kjor(['skript.ts', 'hei', 'der'])).toEqual({ kode: 0, utskrift: `hei der ${process.version}\n` });
});

test('ends with the exit code of the script', async () => {
  const { kjor } = lagProsjekt('kode', ALT);
  expect((await kjor(['skript.ts', 'kode', '3'])).kode).toBe(3);
});

test.each([
  ['nothing is installed', undefined],
  ['a package is missing', {}],
  ['a package has another version', { 'node_modules/a': { ...PAKKE, version: '2.0.0' } }],
  ['a package has other content', { 'node_modules/a': { ...PAKKE, integrity: 'sha512-b' } }],
  ['a package is left over', { ...ALT, 'node_modules/b': PAKKE }],
])('installs first when %s', async (naar, installert) => {
  const { kjor } = lagProsjekt(naar.replaceAll(' ', '-'), installert);
  const { kode, utskrift } = await kjor(['skript.ts', 'hei', 'der']);
  expect(utskrift).toContain('npm ci --include=dev');
  expect(utskrift).toContain('hei der');
  expect(kode).toBe(0);
});

test('says so when that fails, and does not run the script', async () => {
  const { rot, kjor } = lagProsjekt('feiler');
  writeFileSync(join(rot, 'feiler'), '');
  const { kode, utskrift } = await kjor(['skript.ts', 'hei', 'der']);
  expect([kode, utskrift]).toEqual([1, expect.stringContaining('npm ci failed; what it said stands above.')]);
  expect(utskrift).not.toContain('hei der');
});

test('says so when the Node of the project is another one', async () => {
  const { rot, kjor } = lagProsjekt('annen-node', ALT);
  const node = join(rot, 'node_modules', 'node', 'bin', 'node');
  // Removed first: written through, the link would change the Node that runs this.
  rmSync(node);
  writeFileSync(node, '#!/bin/sh\necho v20.1.0\n', { mode: 0o755 });
  const { kode, utskrift } = await kjor(['skript.ts', 'hei', 'der']);
  expect([kode, utskrift]).toEqual([
    1,
    expect.stringMatching(/^Node 24 is needed in node_modules\/node; found v20\.1\.0\./),
  ]);
});

test.each([
  ['SIGINT', 'SIGINT', 7],
  ['SIGTERM', 'SIGTERM', 7],
  ['SIGKILL', 'SIGTERM', null],
] as const)('%s reaches the script as %s', async (sendt, mottatt, kode) => {
  const { rot, start } = lagProsjekt(sendt, ALT);
  const fil = join(rot, 'sagt');
  const prosess = start(['skript.ts', 'vent', fil]);
  const slutt = new Promise((svar) => prosess.once('exit', svar));
  await ventTil(() => existsSync(fil), { hva: 'the script' });
  prosess.kill(sendt);
  expect(await slutt).toBe(kode);
  await ventTil(async () => (await kjorProgram('cat', [fil])).utskrift === mottatt, {
    hva: `the script to get ${mottatt}`,
  });
});

test('the script ends with the shell that npm ran it in', async () => {
  const { rot } = lagProsjekt('skall', ALT);
  const fil = join(rot, 'sagt');
  const kommando = `'${process.execPath}' '${join(rot, 'tools', 'kjor.mjs')}' skript.ts vent '${fil}'; true`;
  const skall = spawn('sh', ['-c', kommando], {
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: 'start' },
  });
  await ventTil(() => existsSync(fil), { hva: 'the script' });
  skall.kill('SIGKILL');
  await ventTil(async () => (await kjorProgram('cat', [fil])).utskrift === 'SIGTERM', { hva: 'the script to end' });
});
