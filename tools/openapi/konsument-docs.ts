import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { parse } from 'yaml';
import type { OpenApiDocument } from './breaking-changes.ts';

/**
 * The parts of pages in docs/ that are said elsewhere: the operations and what on a measure means, from the published
 * document, and the consumers, from a registry. `npm run openapi` writes them; a spec checks that they are as written.
 */
export const PAGES = ['konsumenter.md', 'fase.md'] as const;
type Page = (typeof PAGES)[number];
const REGISTRY = join(ROOT, 'nais', 'nav', 'konsumenter-prod.yaml');

interface Konsument {
  navn: string;
  azp: string;
  bruksvilkaar?: number;
  behandlingsgrunnlag: {
    id: string;
    lenke: string;
    operasjoner: string[] | 'alle';
    felter: string[] | 'alle';
    utvalg?: { tiltakstyper: string[] };
  }[];
  kvote?: { perSekund: number; burst: number };
}

/** The page as it should be. */
export function pageAsMade(name: Page): string {
  const parts = {
    operasjoner: operationTable(),
    filtre: filterTable(),
    konsumenter: konsumentTable(),
    tiltak: decisionTable(),
  };
  return Object.entries(parts).reduce(
    (page, [name, content]) =>
      page.replace(
        new RegExp(`(<!-- ${name}: made by npm run openapi -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
        (_, start: string, end: string) => `${start}\n${content}\n${end}`,
      ),
    readPage(name),
  );
}

export function readPage(name: Page): string {
  return readFileSync(join(ROOT, 'docs', name), 'utf8');
}

export function writePages(): void {
  for (const name of PAGES) writeFileSync(join(ROOT, 'docs', name), pageAsMade(name));
}

/** What on a measure means, as hentTiltaksstatus says. */
function decisionTable(): string {
  const file = join(ROOT, 'apps', 'query-api', 'openapi.json');
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Record<string, { post?: { description: string } }>;
  };
  const { description = '' } = paths['/api/v1/personer/tiltaksstatus']?.post ?? {};
  const rows = description.split('\n').filter((line) => line.startsWith('|'));
  const [header = [], , ...cells] = rows.map((line) => line.slice(2, -2).split(' | '));
  return table(header, cells);
}

function operationTable(): string {
  const file = join(ROOT, 'apps', 'query-api', 'openapi.json');
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as OpenApiDocument;
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId = '', summary = '' }]) => [
      summary,
      `\`${operationId}\``,
      `\`${method.toUpperCase()} ${path}\``,
    ]),
  );
  return table(['question', 'operation', 'call'], rows);
}

/** What the grant must have for each filter of the searches, as its description says. */
function filterTable(): string {
  const file = join(ROOT, 'apps', 'query-api', 'openapi.json');
  const { components } = JSON.parse(readFileSync(file, 'utf8')) as {
    components: { schemas: { Sok: { properties: Record<string, { description?: string }> } } };
  };
  const rows = Object.entries(components.schemas.Sok.properties).flatMap(([name, { description = '' }]) => {
    const [, fields] = /Needs a grant for (.+)$/.exec(description) ?? [];
    return fields === undefined
      ? []
      : [[`\`${name}\``, fields.replace(/\w+/g, (word) => (word === 'and' ? word : `\`${word}\``))]];
  });
  return table(['filter', 'reads'], rows);
}

function konsumentTable(): string {
  const konsumenter = (parse(readFileSync(REGISTRY, 'utf8')) as Konsument[] | null) ?? [];
  const list = (value: string[] | 'alle'): string => (value === 'alle' ? 'all' : value.join(', '));
  const rows = konsumenter.flatMap(({ navn: name, bruksvilkaar: terms, behandlingsgrunnlag, kvote: quota }) =>
    behandlingsgrunnlag.map(({ id, lenke: link, operasjoner: operations, felter: fields, utvalg }) => [
      name,
      `[${id}](${link})`,
      list(operations),
      list(fields),
      list(utvalg?.tiltakstyper ?? 'alle'),
      quota ? `${String(quota.perSekund)}/s, ${String(quota.burst)} at once` : 'none',
      terms === undefined ? 'not accepted' : String(terms),
    ]),
  );
  return table(['consumer', 'purpose', 'operations', 'fields', 'kinds of measure', 'quota', 'terms'], rows);
}

/** As prettier writes it. */
function table(header: string[], rows: string[][]): string {
  const widths = header.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  return line(header) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}
