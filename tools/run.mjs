/**
 * Runs a script of this project on any machine with Node 20 or newer: installs what the lock file says when that has not
 * been done, and then runs the script with the Node version that the project pins.
 *
 *   node tools/run.mjs <script.ts> [arguments]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rot = dirname(dirname(fileURLToPath(import.meta.url)));
const moduler = join(rot, 'node_modules');
const node = join(moduler, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const SIGNALER = ['SIGINT', 'SIGTERM', 'SIGHUP'];

// Not even SIGKILL of this process leaves the script behind: it takes the end of their channel as SIGTERM.
const FOELG_FORELDER = `data:text/javascript,${encodeURIComponent(
  "process.once('disconnect', () => process.kill(process.pid, 'SIGTERM')); process.channel?.unref();",
)}`;

const lesPakker = (fil) => (existsSync(fil) ? JSON.parse(readFileSync(fil, 'utf8')).packages : {});

/** Whether node_modules holds what the lock file says; npm itself keeps note of what it has installed. */
function erInstallert() {
  if (!existsSync(node)) return false;
  const laas = lesPakker(join(rot, 'package-lock.json'));
  delete laas['']; // the project itself
  const installert = lesPakker(join(moduler, '.package-lock.json'));
  const stemmer = ([sti, pakke]) => {
    const her = installert[sti];
    // Binaries for other platforms are in the lock file only.
    if (!her) return Boolean(pakke.optional || pakke.devOptional || pakke.peer);
    return (
      her.version === pakke.version && her.integrity === pakke.integrity && Boolean(her.link) === Boolean(pakke.link)
    );
  };
  return Object.entries(laas).every(stemmer) && Object.keys(installert).every((sti) => sti in laas);
}

function avbryt(melding) {
  console.error(melding);
  process.exit(1);
}

/** Runs a program to its end, passes on signals, and answers with its exit code. */
async function kjor(program, argumenter, valg) {
  const barn = spawn(program, argumenter, { cwd: rot, ...valg });
  // A terminal sends Ctrl-C to the child as well; the child decides when it is done.
  const send = (signal) => barn.kill(signal);
  for (const signal of SIGNALER) process.on(signal, send);
  const vakt = naarNpmErBorte(() => send('SIGTERM'));
  const kode = await new Promise((slutt) => {
    barn.once('error', ({ message }) => avbryt(`${program} could not be run: ${message}`));
    barn.once('exit', (kode, signal) => slutt(signal ? 1 : kode));
  });
  for (const signal of SIGNALER) process.off(signal, send);
  clearInterval(vakt);
  return kode;
}

/** npm passes SIGTERM on to the shell that it runs scripts in, and the shell ends without a word to what it runs. */
function naarNpmErBorte(gjoer) {
  if (!process.env.npm_lifecycle_event) return undefined;
  const skall = process.ppid;
  const vakt = setInterval(() => {
    if (process.ppid === skall) return;
    clearInterval(vakt);
    gjoer();
  }, 250);
  return vakt.unref();
}

async function installer() {
  console.error('Installing dependencies (npm ci) …');
  // stdout belongs to the script: some of them print only an answer. Development dependencies are needed whatever
  // NODE_ENV says: Node itself is among them.
  const kode = await kjor('npm', ['ci', '--include=dev', '--no-progress', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (kode !== 0) avbryt('npm ci failed; what it said stands above.');
}

const [skript, ...argumenter] = process.argv.slice(2);
if (!skript) avbryt('Usage: node tools/run.mjs <script.ts> [arguments]');
if (!erInstallert()) await installer();
const versjon = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
if (!versjon?.startsWith('v24.')) {
  avbryt(`Node 24 is needed in node_modules/node; found ${versjon || 'none'}. Delete node_modules and try again.`);
}

process.exitCode = await kjor(
  node,
  // kafkajs 2.2.4 sets timers to moments that have passed, which Node 24 remarks on.
  [
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=TimeoutNegativeWarning',
    '--import',
    FOELG_FORELDER,
    join(rot, skript),
    ...argumenter,
  ],
  {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  },
);
