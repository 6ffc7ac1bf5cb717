import { konsumentside, lesSide } from './konsumentdok.ts';

test('docs/konsumenter.md says what the document and the registry say: run npm run openapi', () => {
  expect(lesSide()).toBe(konsumentside());
  expect(lesSide()).toContain('`hentTiltaksstatus`');
});
