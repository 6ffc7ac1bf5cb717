import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { writeClientSchemas } from './client-types.ts';
import { writePage } from './konsument-docs.ts';

/**
 * `openapi.ts <project>`: writes what the project has of OpenAPI. An app writes the documents that it publishes when built,
 * the ingestor that of its topics too; with `--sjekk` they are only held against the committed ones. The client and the page for consumers are made from the documents;
 * specs check that they are as made.
 */
const [project = '', ...options] = process.argv.slice(2);
if (project === 'client-typescript') await writeClientSchemas();
else if (project === 'tools') writePage();
else if (options.includes('--sjekk')) checkDocuments(project);
else for (const document of documentsOf(project)) writeFileSync(document.file, document.text());

function checkDocuments(app: string): void {
  for (const { file, name, text } of documentsOf(app)) {
    if (existsSync(file) && readFileSync(file, 'utf8') === text()) continue;
    fail(`apps/${app}/${name} is not what the ${app} publishes: run npm run openapi, and look at the difference.`);
  }
}

/** The ingestor has one of its topics too. */
function documentsOf(app: string): { file: string; name: string; text: () => string }[] {
  const documents = { 'openapi.json': 'openapi', ...(app === 'ingestor' ? { 'asyncapi.yaml': 'asyncapi' } : {}) };
  return Object.entries(documents).map(([name, command]) => ({
    name,
    file: join(ROOT, 'apps', app, name),
    text: () => printedBy(app, command),
  }));
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
