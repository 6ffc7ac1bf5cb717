/**
 * Runs a script of this project on any machine with Node 20 or newer: installs what the lock file says when that has not
 * been done, and then runs the script with the Node version that the project pins.
 *
 *   node tools/kjor.mjs <script.ts> [arguments]
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rot = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(rot, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const stempel = join(rot, 'node_modules', '.tiltak-installert');

function installer() {
  const laas = createHash('sha256').update(readFileSync(join(rot, 'package-lock.json'))).digest('hex');
  if (existsSync(stempel) && readFileSync(stempel, 'utf8') === laas) return;
  console.error('Installing dependencies (npm ci) …');
  const { status } = spawnSync('npm', ['ci', '--no-progress', '--loglevel=error'], {
    cwd: rot,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) avbryt('npm ci failed; what it said stands above.');
  mkdirSync(dirname(stempel), { recursive: true });
  writeFileSync(stempel, laas);
}

function avbryt(melding) {
  console.error(melding);
  process.exit(1);
}

const [skript, ...argumenter] = process.argv.slice(2);
if (!skript) avbryt('Usage: node tools/kjor.mjs <script.ts> [arguments]');
installer();
const { stdout: versjon } = spawnSync(node, ['--version'], { encoding: 'utf8' });
if (!versjon?.startsWith('v24.')) avbryt(`Node 24 is needed in node_modules/node; found ${versjon?.trim() || 'none'}. Delete node_modules and try again.`);

const barn = spawn(node, ['--disable-warning=ExperimentalWarning', join(rot, skript), ...argumenter], {
  cwd: rot,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` },
});
// A terminal sends Ctrl-C to the child as well; the child decides when it is done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => barn.kill(signal));
barn.on('exit', (kode, signal) => process.exit(signal ? 1 : (kode ?? 1)));
