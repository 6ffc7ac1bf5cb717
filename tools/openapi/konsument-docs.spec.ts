import { konsumentPage, readPage } from './konsument-docs.ts';

test('docs/konsumenter.md says what the document and the registry say: run npm run openapi', () => {
  expect(readPage()).toBe(konsumentPage());
  expect(readPage()).toContain('`hentTiltaksstatus`');
});
