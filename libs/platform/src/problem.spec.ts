import { readFileSync } from 'node:fs';
import { oversett } from './http/oversett.ts';
import { fellesFeil, Problem } from './problem.ts';

test('docs/feil.md is the catalogue', () => {
  const rader = Object.values(fellesFeil).map(
    ({ status, kode, provIgjen, beskrivelse }) => `| ${String(status)} | \`${kode}\` | ${provIgjen} | ${beskrivelse} |`,
  );
  const dokument = readFileSync(new URL('../../../docs/feil.md', import.meta.url), 'utf8').replace(/ {2,}/g, ' ');
  for (const rad of rader) expect(dokument).toContain(rad);
});

test('codes are unique, and stable in form', () => {
  const koder = Object.values(fellesFeil).map(({ kode }) => kode);
  expect(new Set(koder).size).toBe(koder.length);
  for (const kode of koder) expect(kode).toMatch(/^[a-z-]+$/);
});

test('what is not expected is 500, and tells nothing of its cause', () => {
  const problem = oversett(new Error('secret of the house'));
  expect(problem.feilkode.status).toBe(500);
  expect(JSON.stringify(problem.tilJson())).not.toContain('secret');
});

test('waiting is told in seconds', () => {
  const problem = new Problem(fellesFeil.UTILGJENGELIG, 'x', { retryAfter: 2 });
  expect(problem.hoder).toMatchObject({
    'retry-after': '2',
    'content-type': 'application/problem+json; charset=utf-8',
  });
});
