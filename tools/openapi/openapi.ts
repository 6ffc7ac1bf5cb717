import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { writeClientSchemas } from './client-types.ts';
import { writePage } from './konsument-docs.ts';

/**
 * `openapi.ts <project>`: writes what the project has of OpenAPI. An app writes the document that it publishes when built;
 * with `--sjekk` it is only held against the committed one. The client and the page for consumers are made from the documents;
 * specs check that they are as made.
 */
const [project = '', ...options] = process.argv.slice(2);
if (project === 'client-typescript') await writeClientSchemas();
else if (project === 'tools') writePage();
else if (options.includes('--sjekk')) checkDocument(project);
else writeFileSync(documentFile(project), publishedBy(project));

function checkDocument(app: string): void {
  const file = documentFile(app);
  if (existsSync(file) && readFileSync(file, 'utf8') === publishedBy(app)) return;
  fail(
    `${folderOf(app)}/openapi.json is not what the ${app} publishes: run npm run openapi, and look at the difference.`,
  );
}

/** The sandbox is no app of the product. */
function folderOf(app: string): string {
  return app === 'sandbox' ? app : `apps/${app}`;
}

function documentFile(app: string): string {
  return join(ROOT, folderOf(app), 'openapi.json');
}

function publishedBy(app: string): string {
  const program = join(ROOT, 'dist', folderOf(app), 'main.cjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'openapi'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0 && stdout !== '') return stdout;
  fail(`The document could not be made; is the ${app} built?\n${stderr}`);
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
