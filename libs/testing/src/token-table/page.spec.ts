import { tokenTableLines, tokenTableOfPage } from './page.ts';
import { TOKEN_TABLE } from './token-table.ts';

test('docs/tokens.md shows the table that is tried; else: node libs/testing/src/token-table/page.ts', () => {
  expect(tokenTableOfPage()).toEqual(tokenTableLines());
  expect(new Set(TOKEN_TABLE.map(({ token }) => token)).size).toBe(TOKEN_TABLE.length);
});
