import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '@tiltak/testing';
import { writeClientSchemas } from './client-types.ts';
import { writePages } from './konsument-docs.ts';

/**
 * `openapi.ts <project>`: writes what the project has of documents. Of an app, what it prints of itself when built: the
 * OpenAPI document, the page of its settings, and of the ingestor the document of its topics; with `--sjekk` they are only
 * held against the committed ones. The client and the page for consumers are made from the documents; specs check that
 * they are as made.
 */
const [project = '', ...options] = process.argv.slice(2);
if (project === 'client-typescript') await writeClientSchemas();
else if (project === 'tools') writePages();
else {
  for (const [name, text] of Object.entries(await publishedBy(project))) {
    const file = join(ROOT, folderOf(project), name);
    if (!options.includes('--sjekk')) writeFileSync(file, text);
    else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
      fail(
        `${folderOf(project)}/${name} is not what the ${project} publishes: run npm run openapi, and look at the difference.`,
      );
    }
  }
}

/** The sandbox is no app of the product. */
function folderOf(project: string): string {
  return project === 'sandbox' ? project : `apps/${project}`;
}

async function publishedBy(project: string): Promise<Record<string, string>> {
  const document = { 'openapi.json': printedBy(project, 'openapi') };
  if (project === 'sandbox') return document;
  const settings = join(ROOT, 'apps', project, 'settings.md');
  return {
    ...document,
    ...catalogueOf(project),
    ...(project === 'ingestor' ? { 'asyncapi.yaml': printedBy(project, 'asyncapi') } : {}),
    'settings.md': await format(printedBy(project, 'innstillinger'), {
      ...(await resolveConfig(settings)),
      filepath: settings,
    }),
  };
}

/** What the query-api publishes beside its document. */
function catalogueOf(app: string): Record<string, string> {
  if (app !== 'query-api') return {};
  const files = JSON.parse(printedBy(app, 'katalog')) as Record<string, string>;
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`katalog/${name}`, text]));
}

function printedBy(app: string, command: string): string {
  const program = join(ROOT, 'dist', folderOf(app), 'main.cjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, command], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0 && stdout !== '') return stdout;
  fail(`The documents could not be made; is the ${app} built?\n${stderr}`);
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
