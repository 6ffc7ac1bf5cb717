import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkDir, ROOT } from '@tiltak/testing';

const { layPages } = (await import(String(new URL('./pages.mjs', import.meta.url)))) as {
  layPages: (root: string, app: string, output: string) => void;
};
const { directory, clean } = createWorkDir('sider');
afterAll(clean);

/** Of another process, which has nothing of the query-api's own pages. */
const AUDITOR_PAGE = 'static/revisor.html';

const linksOf = (page: string): string[] => Array.from(page.matchAll(/\b(?:href|src)="([^"]*)"/g), ([, to = '']) => to);

function pagesOf(app: string): [file: string, links: string[]][] {
  const output = join(directory, app);
  layPages(ROOT, app, output);
  return globSync('**/*.{html,css}', { cwd: output }).map((file) => {
    const text = readFileSync(join(output, file), 'utf8');
    const inCss = Array.from(text.matchAll(/url\(['"]?([^'")]*)/g), ([, to = '']) => to);
    return [file, file.endsWith('.css') ? inCss : linksOf(text)];
  });
}

/** The ingress of the platform passes on nothing else, and the cookie of the login is for it. */
test('all that the pages of those on duty are made of, or lead to, lies under /drift', () => {
  const pages = pagesOf('apps/ingestor');
  const elsewhere = pages.flatMap(([file, links]) =>
    links
      .filter((to) => to.startsWith('/') && !/^\/drift(\/|$)/.test(to) && !file.includes('swagger'))
      .map((to) => `${file}: ${to}`),
  );
  expect(elsewhere).toEqual([]);
  const styled = pages.filter(([, links]) => links.includes('/drift/stil/felles.css')).map(([file]) => file);
  expect(styled.sort()).toEqual([
    'documents/adaptere.html',
    'documents/haandbok.html',
    'documents/ordliste.html',
    'static/index.html',
    'static/organisasjoner.html',
  ]);
});

test('all that the page of auditors is made of lies under /revisor', () => {
  const [[, links = []] = []] = pagesOf('apps/query-api').filter(([file]) => file === AUDITOR_PAGE);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((to) => to.startsWith('/') && !/^\/revisor(\/|$)/.test(to))).toEqual([]);
});

test('each operation of Swagger UI that the front page leads to is one, under its tag', () => {
  const { paths } = JSON.parse(readFileSync(join(ROOT, 'apps/query-api/openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { tags?: string[]; operationId?: string }>>;
  };
  const operations = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ tags = [], operationId = '' }) => `${String(tags[0])}/${operationId}`);
  const sources = globSync('apps/query-api/src/{front-page,own-access}/static/*.{html,js}', { cwd: ROOT });
  const named = sources.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const linked = Array.from(text.matchAll(/\/swagger#\/(\w+\/\w+)/g), ([, one = '']) => one);
    return [...linked, ...Array.from(text.matchAll(/operation: '(\w+\/\w+)'/g), ([, one = '']) => one)];
  });
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((one) => !operations.includes(one))).toEqual([]);
});

test('every page of the query-api has the same bar, which leads to pages that there are', () => {
  const bars = new Set<string>();
  for (const [, links] of pagesOf('apps/query-api').filter(
    ([file]) => file.endsWith('.html') && file !== AUDITOR_PAGE,
  )) {
    const from = links.indexOf('/stil/tema.js') + 1;
    bars.add(
      links
        .slice(from)
        .filter((to) => !to.startsWith('#') && to.startsWith('/') && !to.endsWith('.js') && !to.startsWith('/stil/'))
        .slice(0, 6)
        .join(' '),
    );
  }
  expect([...bars]).toEqual(['/ / /katalog /swagger /dokumentasjon/konsumenter /dokumentasjon/endringslogg']);
});
