import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROT } from '@tiltak/testing';
import { skrivSide } from './konsumentdok.ts';

/**
 * Writes the OpenAPI document that the built query-api publishes to `apps/query-api/openapi.json`; with `--sjekk`, says
 * whether the committed one is that document.
 */
const FIL = join(ROT, 'apps', 'query-api', 'openapi.json');
const app = join(ROT, 'dist', 'apps', 'query-api', 'main.cjs');
const { status, stdout, stderr } = spawnSync(process.execPath, [app, 'openapi'], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
});

if (status !== 0 || stdout === '') {
  console.error(`The document could not be made; is the query-api built?\n${stderr}`);
  process.exitCode = 1;
} else if (!process.argv.includes('--sjekk')) {
  writeFileSync(FIL, stdout);
  skrivSide();
} else if (readFileSync(FIL, 'utf8') !== stdout) {
  console.error(
    'apps/query-api/openapi.json is not what the query-api publishes: run npm run openapi, and look at the difference.',
  );
  process.exitCode = 1;
}
