import type { Tree } from 'nx/src/devkit-exports';

const FOLDER = 'libs/database/src/migrations';
const LIST = `${FOLDER}/index.ts`;
const NAME = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;

/**
 * `npx nx g migration <navn>`: a migration that is still empty, last in the list. Its time is the one at which it is
 * made, but always later than those before it: the time is the order in which migrations run.
 *
 * @throws when the name can't be used, or the list isn't as it should be; then nothing is written
 */
export function migration(tree: Tree, options: { navn: string }, now: () => number = Date.now): void {
  // On the command line a number is a number.
  const name = String(options.navn);
  if (!NAME.test(name)) {
    throw new Error(
      'The name of a migration must be lower case letters and digits, with single hyphens between words.',
    );
  }
  const list = tree.read(LIST, 'utf8') ?? '';
  const times = Array.from(list.matchAll(/from '\.\/(\d+)-/g), ([, time]) => Number(time));
  const time = Math.max(now(), ...times.map((earlier) => earlier + 1));
  const className = `${asClassName(name)}${String(time)}`;
  tree.write(LIST, withMigration(list, className, `./${String(time)}-${name}.ts`));
  tree.write(`${FOLDER}/${String(time)}-${name}.ts`, emptyMigration(className));
}

const asClassName = (name: string): string =>
  name.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());

function withMigration(list: string, className: string, file: string): string {
  const imports = list.lastIndexOf("';\n") + "';\n".length;
  const end = list.lastIndexOf('];');
  if (imports > end || !list.includes('export const MIGRATIONS = [')) {
    throw new Error(`${LIST} must hold the imports of the migrations, and the list MIGRATIONS.`);
  }
  return `${list.slice(0, imports)}import { ${className} } from '${file}';\n${list.slice(imports, end)}  ${className},\n${list.slice(end)}`;
}

const emptyMigration = (className: string): string => `import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What it is for. */
export class ${className} implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(\`\`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(\`\`);
  }
}
`;
