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

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

// Not even SIGKILL of this process leaves the script behind: it takes the end of their channel as SIGTERM.
const FOLLOW_PARENT = `data:text/javascript,${encodeURIComponent(
  "process.once('disconnect', () => process.kill(process.pid, 'SIGTERM')); process.channel?.unref();",
)}`;

const readPackages = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {});

/** Whether node_modules holds what the lock file says; npm itself keeps note of what it has installed. */
function isInstalled() {
  if (!existsSync(node)) return false;
  const lock = readPackages(join(root, 'package-lock.json'));
  delete lock['']; // the project itself
  const installed = readPackages(join(modules, '.package-lock.json'));
  const agrees = ([path, pkg]) => {
    const here = installed[path];
    // Binaries for other platforms are in the lock file only.
    if (!here) return Boolean(pkg.optional || pkg.devOptional || pkg.peer);
    return here.version === pkg.version && here.integrity === pkg.integrity && Boolean(here.link) === Boolean(pkg.link);
  };
  return Object.entries(lock).every(agrees) && Object.keys(installed).every((path) => path in lock);
}

function abort(message) {
  console.error(message);
  process.exit(1);
}

/** Runs a program to its end, passes on signals, and answers with its exit code. */
async function run(program, args, options) {
  const child = spawn(program, args, { cwd: root, ...options });
  // A terminal sends Ctrl-C to the child as well; the child decides when it is done.
  const send = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, send);
  const watch = whenNpmIsGone(() => send('SIGTERM'));
  const code = await new Promise((end) => {
    child.once('error', ({ message }) => abort(`${program} could not be run: ${message}`));
    child.once('exit', (code, signal) => end(signal ? 1 : code));
  });
  for (const signal of SIGNALS) process.off(signal, send);
  clearInterval(watch);
  return code;
}

/** npm passes SIGTERM on to the shell that it runs scripts in, and the shell ends without a word to what it runs. */
function whenNpmIsGone(act) {
  if (!process.env.npm_lifecycle_event) return undefined;
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    act();
  }, 250);
  return watch.unref();
}

async function install() {
  console.error('Installing dependencies (npm ci) …');
  // stdout belongs to the script: some of them print only an answer. Development dependencies are needed whatever
  // NODE_ENV says: Node itself is among them.
  const code = await run('npm', ['ci', '--include=dev', '--no-progress', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (code !== 0) abort('npm ci failed; what it said stands above.');
}

const [script, ...args] = process.argv.slice(2);
if (!script) abort('Usage: node tools/run.mjs <script.ts> [arguments]');
if (!isInstalled()) await install();
const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
if (!version?.startsWith('v24.')) {
  abort(`Node 24 is needed in node_modules/node; found ${version || 'none'}. Delete node_modules and try again.`);
}

process.exitCode = await run(
  node,
  // kafkajs 2.2.4 sets timers to moments that have passed, which Node 24 remarks on.
  [
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=TimeoutNegativeWarning',
    '--import',
    FOLLOW_PARENT,
    join(root, script),
    ...args,
  ],
  {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  },
);
