import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, ROOT, type TestDatabase } from '@tiltak/testing';
import { DataSource } from 'typeorm';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/index.ts';

/** What docs/scaling.md says of spreading avtaler by participant, against the catalogue. Nothing is spread today. */
interface Table {
  name: string;
  columns: { name: string; type: string; isNullable: boolean }[];
  /** of primary keys and other unique indexes */
  keys: { name: string; columns: string[] }[];
}

let database: TestDatabase;
let owner: DataSource;
let tables: Map<string, Table>;

beforeAll(async () => {
  database = await createTestDatabase();
  const { host, port, database: name, migrering } = database;
  const options = { type: 'postgres', host, port, database: name, ...migrering, migrations: MIGRATIONS } as const;
  owner = await new DataSource(options).initialize();
  await migrate(owner);
  tables = new Map((await owner.query<Table[]>(TABLES)).map((table) => [table.name, table]));
});
afterAll(async () => {
  await owner.destroy();
  await database.remove();
});

/** A partition lies where its table does. */
const TABLES = `
  select c.relname as name,
    (select json_agg(json_build_object('name', attname, 'type', format_type(atttypid, null), 'isNullable', not attnotnull))
      from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
    coalesce((select json_agg(json_build_object('name', i.indexrelid::regclass::text, 'columns', (
        select json_agg(attname) from pg_attribute where attrelid = c.oid and attnum = any(i.indkey))))
      from pg_index i where i.indrelid = c.oid and i.indisunique), '[]') as keys
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition`;

/** Columns by which a row is a participant's, or leads to one. */
const OF_A_PARTICIPANT = /^(deltaker_id|foer_deltaker_id|deltaker_fnr|avtale_id|avtaler|person|personer|ident)$/;

/** A count of avtaler is not one. */
const isOfAParticipant = ({ name, type }: Table['columns'][number]): boolean =>
  OF_A_PARTICIPANT.test(name) && /^(uuid|text)/.test(type);

const KEY = 'deltaker_id';

/** By table: where it would lie, and what stands in the way. */
const told = new Map(
  Array.from(
    readFileSync(join(ROOT, 'docs', 'scaling.md'), 'utf8').matchAll(
      /^\| `(\w+)` +\| (by participant|on one node|everywhere) +\| (.*?) *\|$/gm,
    ),
    ([, name = '', lies = '', inTheWay = '']) => [name, { lies, inTheWay }],
  ),
);

/** What keeps a table from being spread by participant: a key that is unique must hold the column, which never is null. */
function unfit({ columns, keys }: Table): string[] {
  const column = columns.find(({ name }) => name === KEY);
  if (column?.type !== 'uuid') return [`\`${KEY}\` is not there`];
  return [
    ...(column.isNullable ? [`\`${KEY}\` may be null`] : []),
    ...keys.filter((key) => !key.columns.includes(KEY)).map(({ name }) => `\`${name}\` is without it`),
  ];
}

test('docs/scaling.md says where each table of participants would lie, and of no other', () => {
  const found = [...tables.values()].filter(({ columns }) => columns.some(isOfAParticipant));
  expect([...told.keys()].sort()).toEqual(found.map(({ name }) => name).sort());
  expect([...told].filter(([, { lies }]) => lies === 'by participant').map(([name]) => name)).toEqual([
    'avtale',
    'avtale_versjon',
    'relasjon',
  ]);
});

test('what keeps a table from being spread by participant is told, and nothing else', () => {
  for (const [name, { lies, inTheWay }] of told) {
    const table = tables.get(name);
    if (lies !== 'by participant' || !table) continue;
    const findings = unfit(table);
    expect([name, findings.filter((finding) => !inTheWay.includes(finding))]).toEqual([name, []]);
    expect([name, inTheWay === '']).toEqual([name, findings.length === 0]);
  }
});

test('what is not spread is reached by its avtale, or says why it can not be', () => {
  for (const [name, { lies, inTheWay }] of told) {
    if (lies === 'by participant') continue;
    const byAvtale = tables.get(name)?.columns.some((column) => column.name === 'avtale_id' && !column.isNullable);
    expect([name, byAvtale === true || inTheWay !== '']).toEqual([name, true]);
  }
});

test('no foreign key stands between an avtale and what is spread with it', async () => {
  const spread = [...told].filter(([, { lies }]) => lies === 'by participant').map(([name]) => name);
  const rows = await owner.query<{ name: string }[]>(
    `select conname as name from pg_constraint where contype = 'f'
     and (conrelid::regclass::text = any($1) or confrelid::regclass::text = any($1))`,
    [spread],
  );
  expect(rows).toEqual([]);
});

test('each operation that is published is told of', () => {
  const document = readFileSync(join(ROOT, 'apps', 'query-api', 'openapi.json'), 'utf8');
  const operations = [...document.matchAll(/"operationId": "(\w+)"/g)].map(([, name]) => name);
  const page =
    readFileSync(join(ROOT, 'docs', 'scaling.md'), 'utf8').split('### What each operation would be')[1] ?? '';
  const described = Array.from(page.matchAll(/^\| `(\w+)` /gm), ([, name]) => name);
  // Not in the document: GraphQL has a schema of its own.
  expect(described.sort()).toEqual([...new Set([...operations, 'graphql'])].sort());
});
