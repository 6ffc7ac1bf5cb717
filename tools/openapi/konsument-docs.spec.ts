import { PAGES, pageAsMade, readPage } from './konsument-docs.ts';

test.each(PAGES)('docs/%s says what the document and the registry say: run npm run openapi', (name) => {
  expect(readPage(name)).toBe(pageAsMade(name));
  expect(readPage(name)).toContain('| entered, startDato ≤ D ');
});
