import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, ROOT } from '@tiltak/testing';
import { migration } from './generator.ts';

type Tree = Parameters<typeof migration>[0];

const FOLDER = 'libs/database/src/migrations';
const LIST = `${FOLDER}/index.ts`;
const committed = readFileSync(join(ROOT, LIST), 'utf8');

/** What is written to a tree that holds the list of migrations. */
function create(name: string, now: number, list = committed): Map<string, string> {
  const files = new Map([[LIST, list]]);
  const tree: Partial<Tree> = {
    read: ((path: string) => files.get(path) ?? null) as Tree['read'],
    write: (path: string, content: Buffer | string) => void files.set(path, String(content)),
  };
  migration(tree as Tree, { navn: name }, () => now);
  return files;
}

const LATE = 4_000_000_000_000;

test('a migration with the time it was made, last in the list', () => {
  const files = create('partisjoner-av-oppslag', LATE);
  const content = files.get(`${FOLDER}/${String(LATE)}-partisjoner-av-oppslag.ts`);
  expect(content).toContain(`export class PartisjonerAvOppslag${String(LATE)} implements MigrationInterface {`);
  expect(content).toMatch(/async up\(.*async down\(/s);
  const className = `PartisjonerAvOppslag${String(LATE)}`;
  const added = [`import { ${className} } from './${String(LATE)}-partisjoner-av-oppslag.ts';`, `  ${className},`];
  const before = committed.split('\n');
  expect(
    files
      .get(LIST)
      ?.split('\n')
      .filter((line) => !before.includes(line)),
  ).toEqual(added);
  expect(files.get(LIST)).toMatch(new RegExp(`  ${className},\n\\];\n$`));
});

test('it comes after those before it, also when the clock is behind', () => {
  const list = create('en', LATE).get(LIST) ?? '';
  const files = create('to', 1, list);
  expect([...files.keys()]).toContain(`${FOLDER}/${String(LATE + 1)}-to.ts`);
  expect(files.get(LIST)).toMatch(new RegExp(`  En${String(LATE)},\n  To${String(LATE + 1)},\n\\];\n$`));
});

test.each(['', 'To', 'to_ord', '-to', 'to-', 'to--ord', '../to', '2', 'på'])('%j is not the name of one', (name) => {
  expect(() => create(name, LATE)).toThrow(/^The name of a migration must be lower case letters/);
});

test('a list that is not as it should be is named', () => {
  expect(() => create('to', LATE, '')).toThrow(`${LIST} must hold`);
});

test('nx g migration finds it', async () => {
  const nx = join(ROOT, 'node_modules', '.bin', 'nx');
  const env = { ...process.env, NODE_OPTIONS: '', NX_DAEMON: 'false', NX_TUI: 'false', NO_COLOR: '1' };
  const { code, printout } = await runProgram(process.execPath, [nx, 'g', 'migration', 'to-ord', '--dry-run'], {
    cwd: ROOT,
    env,
  });
  expect([code, printout]).toEqual([
    0,
    expect.stringMatching(
      /UPDATE libs\/database\/src\/migrations\/index\.ts\nCREATE libs\/database\/src\/migrations\/\d{13}-to-ord\.ts/,
    ),
  ]);
}, 120_000);
