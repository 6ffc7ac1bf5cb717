import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { writeClientSchemas } from './client-types.ts';
import { writePage } from './konsument-docs.ts';

/**
 * Writes the OpenAPI document that each built app publishes to `apps/<app>/openapi.json`; with `--sjekk`, says whether
 * the committed ones are those documents.
 */
for (const app of ['query-api', 'ingestor']) {
  const file = join(ROOT, 'apps', app, 'openapi.json');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'dist', 'apps', app, 'main.cjs'), 'openapi'],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (status !== 0 || stdout === '') {
    console.error(`The document could not be made; is the ${app} built?\n${stderr}`);
    process.exitCode = 1;
  } else if (!process.argv.includes('--sjekk')) {
    writeFileSync(file, stdout);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== stdout) {
    console.error(
      `apps/${app}/openapi.json is not what the ${app} publishes: run npm run openapi, and look at the difference.`,
    );
    process.exitCode = 1;
  }
}

// What is made from the documents; specs check that it is as made.
if (!process.argv.includes('--sjekk')) {
  writePage();
  await writeClientSchemas();
}
