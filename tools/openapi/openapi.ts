import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { writeClientSchemas } from './client-types.ts';
import { writePages } from './konsument-docs.ts';

/**
 * `openapi.ts <project>`: writes what the project has of OpenAPI. An app writes the document that it publishes when built;
 * with `--sjekk` it is only held against the committed one. The client and the page for consumers are made from the documents;
 * specs check that they are as made.
 */
const [project = '', ...options] = process.argv.slice(2);
if (project === 'client-typescript') await writeClientSchemas();
else if (project === 'tools') writePages();
else if (options.includes('--sjekk')) checkDocument(project);
else {
  writeFileSync(documentFile(project), publishedBy(project));
  for (const [name, text] of catalogueOf(project)) writeFileSync(catalogueFile(name), text);
}

function checkDocument(app: string): void {
  const file = documentFile(app);
  const files = [[file, publishedBy(app)], ...catalogueOf(app).map(([name, text]) => [catalogueFile(name), text])];
  for (const [path = '', text] of files) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    fail(`${relative(ROOT, path)} is not what the ${app} publishes: run npm run openapi, and look at the difference.`);
  }
}

/** What the query-api publishes beside its document, by name. */
function catalogueOf(app: string): [name: string, text: string][] {
  return app === 'query-api' ? Object.entries(JSON.parse(printedBy(app, 'katalog')) as Record<string, string>) : [];
}

function catalogueFile(name: string): string {
  return join(ROOT, 'apps', 'query-api', 'katalog', name);
}

function documentFile(app: string): string {
  return join(ROOT, 'apps', app, 'openapi.json');
}

function publishedBy(app: string): string {
  return printedBy(app, 'openapi');
}

function printedBy(app: string, command: string): string {
  const program = join(ROOT, 'dist', 'apps', app, 'main.cjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, command], {
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
