import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '@tiltak/testing';
import { CASES, type Outcome } from './cases.ts';
import { stringify } from 'yaml';
import {
  GENERATORS,
  OPEN_ENUMS,
  openApiGeneratorArgs,
  SETTINGS,
  type Generator,
  type SettingsName,
} from './generators.ts';
import { readResults, RESULTS, type Results, type Run } from './results.ts';
import { readVersions } from './versions.ts';

const PAGE = join(ROOT, 'docs', 'clients.md');

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

/** Keeps the results of generators that there are, and writes the page anew. */
export async function writeResults(results: Results): Promise<void> {
  const kept = GENERATORS.flatMap(({ name }) => (results[name] ? [[name, results[name]] as const] : []));
  writeFileSync(RESULTS, await formatted(JSON.stringify(Object.fromEntries(kept)), RESULTS));
  writeFileSync(PAGE, await clientsPage());
}

/** The page as it should be. */
export async function clientsPage(results: Results = readResults()): Promise<string> {
  const cases = CASES.map(({ title, holds }) => `- **${title}**: ${holds}.`);
  const tables = SETTINGS.map((settings) => `## ${TITLES[settings]}\n\n${table(settings, results)}\n`);
  const advice = GENERATORS.map((generator) => section(generator, results));
  return formatted(
    [INTRODUCTION, ...cases, '', ...tables, COPY, VIRKSOMHETER, '## Settings, and what to know', ...advice].join('\n'),
    PAGE,
  );
}

const TITLES: Record<SettingsName, string> = { standard: 'As they come', anbefalt: 'With the settings below' };

const INTRODUCTION = `# Clients from other generators

Our own clients for TypeScript and Kotlin read everything that follows ([clients](../clients/README.md)). Who generates one of another kind from \`/openapi.json\` finds here what it can read, and which settings it takes. Each generator made a client of the published document, the client was compiled, and was given real answers of the service, recorded, from a small server. \`npm run klientmatrise\` does it all again, and writes this page; it runs each night ([CONTRIBUTING](../CONTRIBUTING.md#generated-clients)).

What is tried:
`;

const COPY = `## A copy, by our own clients

\`followAvtaler\` keeps a copy of everything that you may see. A store is of one copy, and says what it is of beside its position, the same in each language: with another abonnement, or with other fields, the copy is made anew. Give the new one a table of its own where two versions of your program run side by side, or each makes the other's anew.

- **\`abonnement\`**: of [what that is of](konsumenter.md#following-some-of-them), and forgets what leaves it.
- **\`felter\`**: these fields of each, and \`avtaleId\`. No others are read or audited, and only they need a grant, which the whole copy needs for all of them; besides \`eksporterAvtaler\` and \`hentEndringer\` it asks \`hentUtdrag\`, and not \`sokAvtaler\`. There are no links. \`fase\` is of the day that it was read, and no change tells of midnight: keep what it is made of, or ask for it.

\`\`\`ts
type Period = AvtalePart<'startDato' | 'sluttDato'>;
const store = new PostgresStore<Period>({ pool, table: 'perioder' });
await followAvtaler({ client, store, felter: ['startDato', 'sluttDato'] });
\`\`\`

\`\`\`kotlin
val store = PostgresStore<Utdrag>(dataSource, "perioder")
followAvtaler(client, store, felter = listOf(Avtalefelt.startDato, Avtalefelt.sluttDato))
\`\`\`
`;

/** With requests that `tools/e2e/examples.spec.ts` asks as they stand. */
const VIRKSOMHETER = `## Virksomheter

The document has two resources, and a client has both: what is said above of pages, problems, new values and the export holds for the operations of virksomheter too. Three things differ:

- **What is not granted is left out** of a virksomhet, where an avtale needs its whole grant: every field but \`organisasjonsnummer\` is optional, and absent is not null. \`felter\` asks for fewer.
- \`organisasjonsform\` and \`naeringskode\` are texts and no enums: the register makes new ones.
- **It has a change feed of its own.** A position of one feed can't be used in the other; \`Minst-Posisjon\` takes both. \`followAvtaler\` of our clients follows avtaler, also by an abonnement of \`hovedenheter\`.

By number, and those right below a unit; then everything at a parent company, whole or some fields of it:

\`\`\`http
GET /api/v1/virksomheter/910825518
\`\`\`

\`\`\`http
POST /api/v1/virksomheter/sok

{"overordnetEnhet": "910712217", "felter": ["navn", "hovedenhet"]}
\`\`\`

\`\`\`http
POST /api/v1/avtaler/sok

{"hovedenhet": "910712217"}
\`\`\`

\`\`\`http
POST /api/v1/avtaler/utdrag

{"hovedenhet": "910712217", "felter": ["avtaleId", "bedriftNr", "bedriftNavn", "hovedenhet"]}
\`\`\`

\`bedriftNavn\` of an avtale is what its source said when the avtale was last changed, \`navn\` of a virksomhet what the register says now. \`hovedenhet\` is the top of the chain, null while it is not known. What changes, of virksomheter, and of avtaler at all establishments below a unit:

\`\`\`http
GET /api/v1/virksomheter/endringer?antall=10
\`\`\`

\`\`\`http
PUT /api/v1/abonnementer/konsernet

{"hovedenheter": ["910712217"]}
\`\`\`

\`\`\`http
GET /api/v1/endringer?abonnement=konsernet&antall=10
\`\`\`

What each means: [For consumers](konsumenter.md#employers-and-what-is-below-them).
`;

function table(settings: SettingsName, results: Results): string {
  const header = ['generator', ...CASES.map(({ title }) => title)];
  const rows = GENERATORS.map(({ name, title }) => {
    const run = results[name]?.[settings];
    return [title, ...CASES.map((known) => mark(run, known.name))];
  });
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function mark(run: Run | undefined, name: (typeof CASES)[number]['name']): string {
  if (!run) return 'not run';
  if ('notBuilt' in run) return 'not built';
  return run.cases[name].ok ? 'yes' : '**no**';
}

function section(generator: Generator, results: Results): string {
  const { name, title, advice } = generator;
  const version = readVersions()[name] ?? '';
  const lines = [...advice, ...SETTINGS.flatMap((settings) => seen(settings, results[name]?.[settings]))];
  const list = lines.map((line) => `- ${line}`).join('\n');
  return `### ${title}\n\nVersion ${version}:\n\n\`\`\`\n${command(generator)}\n\`\`\`\n\n${list}\n`;
}

/** What makes the client with its settings, as the matrix makes it. */
function command(generator: Generator): string {
  const { kind, recommended } = generator;
  const document = recommended.openEnums ? 'openapi-open.json' : 'openapi.json';
  const before = recommended.openEnums ? `${OPEN_ENUMS}\n` : '';
  if (generator.openApiGenerator) {
    const args = openApiGeneratorArgs(generator, { document, client: 'client' }, recommended);
    return `${before}openapi-generator-cli ${args.join(' ')}`;
  }
  if (kind === 'hey-api') return `npx openapi-ts -i ${document} -o client`;
  if (kind === 'orval') {
    const config = { api: { input: document, output: { target: 'client/client.ts', client: 'fetch' } } };
    return `npx orval --config orval.config.mjs   # export default ${JSON.stringify(config)}`;
  }
  const config = `cat > config.yaml <<'END'\n${stringify(recommended.config ?? {})}END`;
  return `${before}${config}\nopenapi-python-client generate --path ${document} --config config.yaml --output-path client`;
}

/** What went wrong as it comes, and what is still wrong with the settings; and how things are given. */
function seen(settings: SettingsName, run: Run | undefined): string[] {
  const which = settings === 'standard' ? 'As it comes' : 'With the settings';
  if (!run) return [];
  if ('notBuilt' in run) return [`${which} there is no client: ${run.notBuilt}`];
  const outcomes = CASES.map(({ name, title }): [string, Outcome] => [title, run.cases[name]]);
  const wrong = outcomes.filter(([, { ok }]) => !ok).map(([title, outcome]) => `${which}, ${title}: ${outcome.seen}`);
  const told = outcomes.filter(([, outcome]) => outcome.ok && outcome.seen !== '');
  const given = told.map(([title, outcome]) => `${title}: ${outcome.seen}`).join('; ');
  return settings === 'standard' ? wrong : [...wrong, `What it gives, with the settings: ${given}.`];
}

async function formatted(content: string, file: string): Promise<string> {
  return format(content, { ...(await resolveConfig(file)), filepath: file });
}
