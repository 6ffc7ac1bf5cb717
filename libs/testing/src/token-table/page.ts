import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../stack/paths.ts';
import { TOKEN_TABLE, type Verdict } from './token-table.ts';

/** The page that shows the table. `node libs/testing/src/token-table/page.ts` writes the table there. */
export const TOKEN_PAGE = join(ROOT, 'docs', 'tokens.md');

const IN_WORDS: Record<Verdict, string> = { inn: '**in**', 400: '400', 401: '401', 403: '403' };

/** Lines of a table in Markdown, without padding. */
export function tokenTableLines(): string[] {
  const rows = TOKEN_TABLE.map(({ token, gets }, i) => [
    String(i + 1),
    token,
    ...gets.map((verdict) => IN_WORDS[verdict]),
  ]);
  const all = [
    ['nr', 'token', 'query-api', 'adapter API', '`/drift`'],
    Array.from({ length: 5 }, () => '---'),
    ...rows,
  ];
  return all.map((cells) => `| ${cells.join(' | ')} |`);
}

/** The table that stands in the page, as `tokenTableLines` writes it. */
export function tokenTableOfPage(): string[] {
  const lines = readFileSync(TOKEN_PAGE, 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('|'))
    .map((line) => line.replace(/ +\|/g, ' |').replace(/-{3,}/g, '---'));
}

if (import.meta.main) {
  const { format, resolveConfig } = await import('prettier');
  const text = readFileSync(TOKEN_PAGE, 'utf8');
  const table = `<!-- tabell -->\n\n${tokenTableLines().join('\n')}\n\n<!-- /tabell -->`;
  const written = text.replace(/<!-- tabell -->[^]*<!-- \/tabell -->/, () => table);
  writeFileSync(TOKEN_PAGE, await format(written, { ...(await resolveConfig(TOKEN_PAGE)), filepath: TOKEN_PAGE }));
}
