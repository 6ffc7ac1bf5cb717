import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { hasTest } from './named-test.ts';
import { anchorsIn, commandsIn, invariantsIn, linksIn, looseFlagsIn, pathsIn, type NamedCommand } from './markdown.ts';

/** What documents name must be there: nobody notices by reading that a file has been renamed. */
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const json = (path: string): unknown => JSON.parse(read(path));
const NOT_OURS = /(^|\/)(node_modules|dist|tmp|coverage|target|\.git|\.nx|\.local)$/;
const find = (pattern: string): string[] => globSync(pattern, { cwd: ROOT, exclude: (path) => NOT_OURS.test(path) });

const DOCUMENTS = find(
  '{*,docs/**/*,apps/**/*,libs/**/*,clients/**/*,nais/**/*,sandbox/**/*,tools/**/*,.github/**/*}.md',
).sort();
const FILES = new Set(find('**/*').map((path) => basename(path)));

/** Made when the project is built or runs. */
const MADE = /^(main\.cjs$|\.local\/)/;
/** Options of Node, not ours. */
const NODE_FLAGS = ['max-semi-space-size'];

function brokenLinks(document: string, text: string): string[] {
  return linksIn(text).filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', anchor] = link.split('#', 2);
    const target = path === '' ? undefined : normalize(join(dirname(document), path));
    if (target !== undefined && !existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsIn(target === undefined ? text : read(target)).has(anchor);
  });
}

function missingPaths(document: string, text: string): string[] {
  const exists = (path: string, folders: string[]): boolean => {
    if (path.includes('*')) return find(path.includes('/') ? path : `**/${path}`).length > 0;
    return folders.some((folder) => existsSync(join(ROOT, folder, path))) || (!path.includes('/') && FILES.has(path));
  };
  return pathsIn(text)
    .filter(({ path }) => !MADE.test(path))
    .filter(({ path, folder }) => !exists(path, ['', dirname(document), ...(folder === undefined ? [] : [folder])]))
    .map(({ path }) => path);
}

const { scripts } = json('package.json') as { scripts: Record<string, string> };
const { generators } = json('tools/generators/generators.json') as { generators: Record<string, { schema: string }> };
const targets = [
  'nx.json',
  ...find('{apps,libs,clients}/*/project.json'),
  'sandbox/project.json',
  'tools/project.json',
].reduce((all, path) => {
  const { targets = {}, targetDefaults = {} } = json(path) as Record<string, Record<string, unknown>>;
  return { ...all, ...targets, ...targetDefaults };
}, {});

/** Options, from the text of the sources that read them: `fil: { type: 'string' }`, or `'--drift'`. */
function flagsOf(sources: string[]): Set<string> {
  const text = sources.filter((path) => !path.endsWith('.spec.ts')).map(read);
  const found = text.join('\n').matchAll(/(?<=[\s{])'?([\w-]+)'?: \{ type: '(?:string|boolean)'|'--([\w-]+)'/gm);
  return new Set(Array.from(found, ([, option, word]) => option ?? word ?? ''));
}

const OF_IMAGES = find('apps/*/src/{commands/**/*,relations/check}.ts');

/** The options that a command has; undefined when its sources don't tell. */
function knownFlags({ kind, name }: NamedCommand): Set<string> | undefined {
  if (kind === 'image') return flagsOf(OF_IMAGES);
  if (kind === 'target') return undefined;
  if (kind === 'generator') {
    const { properties } = json(join('tools/generators', generators[name]?.schema ?? '')) as { properties: object };
    return new Set(Object.keys(properties));
  }
  const [, source] = /^node tools\/run\.mjs (\S+)/.exec(scripts[name] ?? '') ?? [];
  return source === undefined ? undefined : flagsOf([...find(`${dirname(source)}/*.ts`), ...OF_IMAGES]);
}

function unknownCommands(text: string): string[] {
  return commandsIn(text).flatMap((command) => {
    const { kind, name, flags } = command;
    const known = { script: scripts, generator: generators, target: targets, image: undefined }[kind];
    if (known && !(name in known)) return [name];
    // A handler is named by the word that starts it.
    if (kind === 'image' && !find('apps/*/src/main.ts').some((main) => read(main).includes(name))) return [name];
    const options = knownFlags(command);
    return flags.filter((flag) => options && !options.has(flag)).map((flag) => `${name} --${flag}`);
  });
}

function unknownFlags(text: string): string[] {
  const all = Object.keys(scripts).map((name) => knownFlags({ kind: 'script', name, flags: [] }));
  const generator = Object.keys(generators).map((name) => knownFlags({ kind: 'generator', name, flags: [] }));
  const known = new Set(
    [...all, ...generator]
      .flatMap((flags) => [...(flags ?? [])])
      .concat(NODE_FLAGS, [...flagsOf(['sandbox/src/options.ts'])]),
  );
  return looseFlagsIn(text).filter((flag) => !known.has(flag));
}

function missingTests(text: string): string[] {
  return invariantsIn(text, 'Invariants').flatMap(({ invariant, tests }) => {
    if (tests.length === 0) return [`${invariant} (no test)`];
    return tests.filter(({ file, title }) => !hasTest(file, title)).map(({ file, title }) => `${file}: ${title}`);
  });
}

describe.each(DOCUMENTS)('%s', (document) => {
  const text = read(document);

  test('links to what is there', () => expect(brokenLinks(document, text)).toEqual([]));

  test('names commands and options that there are', () => {
    expect([...unknownCommands(text), ...unknownFlags(text)]).toEqual([]);
  });

  // A changelog also tells of what was.
  if (document !== 'CHANGELOG.md') {
    test('names files that there are', () => expect(missingPaths(document, text)).toEqual([]));
  }
});

test('each decision is listed, by the name that it has', () => {
  const text = read('ARCHITECTURE.md');
  const missing = find('docs/adr/*.md').filter((path) => {
    const [, number = '', name = ''] = /^# (\d+)\. (.*)$/m.exec(read(path)) ?? [];
    return !text.includes(`\n  - [ADR ${number}](${path}): ${name}\n`);
  });
  expect(missing).toEqual([]);
});

test('each invariant is held by a test that there is', () => {
  const text = read('ARCHITECTURE.md');
  expect(invariantsIn(text, 'Invariants').length).toBeGreaterThan(20);
  expect(missingTests(text)).toEqual([]);
});

describe('what is not there would be seen', () => {
  const here = 'docs/adr/none.md';

  test('links', () => {
    const text = '# A b’s `c`!\n[1](#a-bs-c) [2](../errors.md#errors) [3](../../README.md)\n[4](#none) [5](../none.md)';
    expect(brokenLinks(here, `${text} [6](../errors.md#none) \`[7](none)\``)).toEqual([
      '#none',
      '../none.md',
      '../errors.md#none',
    ]);
  });

  test('paths', () => {
    const text = [
      '## In `apps/ingestor/src`',
      '`main.ts` `kafka/client.ts` `kafka/none.ts` `libs/avtale/` `libs/*/src/index.ts` `*.spec.ts` `application/json`',
      '## Else',
      '`kafka/client.ts` `none.spec.ts` `*.none.ts` `package.json` `/api/v1/none` `GET /none/x`',
    ].join('\n');
    expect(missingPaths(here, text)).toEqual(['kafka/none.ts', 'kafka/client.ts', 'none.spec.ts', '*.none.ts']);
  });

  test('commands and options', () => {
    const text = [
      '`npm run none`, `npm run`, `npm test`, `npm start -- --tom`, `npm start -- --none`, `npx nx g none`',
      '`npx nx g organisasjon x --topic y`, `npx nx run-many -t build void --parallel 2`, `npm run -s token -- --drift`, `node main.cjs none`, `--seed S` `--nothing`',
      '```\nnpm run adapter -- full --katalog DIR   # --all of it\nnpm run adapter -- full --none\n```',
    ].join('\n');
    expect([...unknownCommands(text), ...unknownFlags(text)].sort()).toEqual(
      ['none', 'none', 'none', 'void', 'start --none', 'adapter --none', 'nothing'].sort(),
    );
  });

  test('tests', () => {
    const text = `
## Invariants

- One.
  - \`libs/platform/src/problem.spec.ts\`: «codes are unique, and stable in form»
- Two.
- Three.
  - \`libs/platform/src/problem.spec.ts\`: «codes are unique»
  - \`libs/platform/src/none.spec.ts\`: «codes are unique, and stable in form»

## Else

- Four.
`;
    expect(missingTests(text)).toEqual([
      'Two. (no test)',
      'libs/platform/src/problem.spec.ts: codes are unique',
      'libs/platform/src/none.spec.ts: codes are unique, and stable in form',
    ]);
  });
});
