import { readFileSync } from 'node:fs';
import { toProblem } from './http/to-problem.ts';
import { PROBLEMS, Problem } from './problem.ts';

test('docs/errors.md is the catalogue', () => {
  const rows = Object.values(PROBLEMS).map(
    ({ status, code, retry, description }) => `| ${String(status)} | \`${code}\` | ${retry} | ${description} |`,
  );
  const document = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8').replace(/ {2,}/g, ' ');
  for (const row of rows) expect(document).toContain(row);
});

test('codes are unique, and stable in form', () => {
  const codes = Object.values(PROBLEMS).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code).toMatch(/^[a-z-]+$/);
});

test('what is not expected is 500, and tells nothing of its cause', () => {
  const problem = toProblem(new Error('secret of the house'));
  expect(problem.problemType.status).toBe(500);
  expect(JSON.stringify(problem.toJson())).not.toContain('secret');
});

test('waiting is told in seconds', () => {
  const problem = new Problem(PROBLEMS.UTILGJENGELIG, 'x', { retryAfter: 2 });
  expect(problem.headers).toMatchObject({
    'retry-after': '2',
    'content-type': 'application/problem+json; charset=utf-8',
  });
});
