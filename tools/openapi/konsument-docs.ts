import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { parse } from 'yaml';
import type { OpenApiDocument } from './breaking-changes.ts';

/**
 * The parts of `docs/konsumenter.md` that are said elsewhere: the operations, from the published document, and the
 * consumers, from a registry. `npm run openapi` writes them; a spec checks that they are as written.
 */
const FILE = join(ROOT, 'docs', 'konsumenter.md');
const REGISTRY = join(ROOT, 'nais', 'nav', 'konsumenter-prod.yaml');

interface Konsument {
  navn: string;
  azp: string;
  bruksvilkaar?: number;
  behandlingsgrunnlag: { id: string; lenke: string; operasjoner: string[] | 'alle'; felter: string[] | 'alle' }[];
  kvote?: { perSekund: number; burst: number };
}

/** The page as it should be. */
export function konsumentPage(): string {
  const parts = { operasjoner: operationTable(), konsumenter: konsumentTable() };
  return Object.entries(parts).reduce(
    (page, [name, content]) =>
      page.replace(
        new RegExp(`(<!-- ${name}: made by npm run openapi -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
        (_, start: string, end: string) => `${start}\n${content}\n${end}`,
      ),
    readPage(),
  );
}

export function readPage(): string {
  return readFileSync(FILE, 'utf8');
}

export function writePage(): void {
  writeFileSync(FILE, konsumentPage());
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

function konsumentTable(): string {
  const konsumenter = (parse(readFileSync(REGISTRY, 'utf8')) as Konsument[] | null) ?? [];
  const list = (value: string[] | 'alle'): string => (value === 'alle' ? 'all' : value.join(', '));
  const rows = konsumenter.flatMap(({ navn: name, bruksvilkaar: terms, behandlingsgrunnlag, kvote: quota }) =>
    behandlingsgrunnlag.map(({ id, lenke: link, operasjoner: operations, felter: fields }) => [
      name,
      `[${id}](${link})`,
      list(operations),
      list(fields),
      quota ? `${String(quota.perSekund)}/s, ${String(quota.burst)} at once` : 'none',
      terms === undefined ? 'not accepted' : String(terms),
    ]),
  );
  return table(['consumer', 'purpose', 'operations', 'fields', 'quota', 'terms'], rows);
}

/** As prettier writes it. */
function table(header: string[], rows: string[][]): string {
  const widths = header.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  return line(header) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}
