import type { DataSource, QueryRunner } from 'typeorm';
import { FOREIGN_KEYS, FUNCTIONS, SCHEMA_GRANTS, TABLES, UNKNOWN, VIEWS } from './catalogue.queries.ts';

const HEADER = `-- The whole schema as the migrations leave it. Written by \`npm run skjema\`, not by hand: a change is a migration.
-- It makes the same schema in an empty database; the roles that it grants to must exist.

set check_function_bodies = off; -- a function may speak of tables that come later
`;

/**
 * The schema of a database as SQL, from its catalogue: the same for every database that was migrated alike, whoever owns
 * it and whatever it is called. Partitions follow the clock and are left out.
 *
 * @throws when the schema holds something that this doesn't know how to write
 */
export async function readSchema(db: DataSource | QueryRunner): Promise<string> {
  const read = async (query: string): Promise<string[]> => {
    const rows: { sql: string }[] = await db.query(query);
    return rows.map(({ sql }) => sql);
  };
  const unknown = await read(UNKNOWN);
  if (unknown.length > 0) throw new Error(`schema.sql can't hold these yet: ${unknown.join(', ')}`);
  const parts = [HEADER];
  for (const query of [SCHEMA_GRANTS, FUNCTIONS, TABLES, FOREIGN_KEYS, VIEWS]) parts.push(...(await read(query)));
  return parts.map((part) => `${part.replaceAll(/[ \t]+$/gm, '').trim()}\n`).join('\n');
}
