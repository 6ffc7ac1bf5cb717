import { AVTALE_FIELDS, FIELDS, type Field } from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { CONTENT_COLUMNS, PHASE_COLUMNS, VERSION_COLUMNS } from './avtaler.rows.ts';
import { PLACE_COLUMNS } from './place.ts';

/** The migrations are written out: here the tables that they make are held against the table of fields. */
const COLUMN_TYPES: Record<Field['read'], string> = {
  uuid: 'uuid',
  text: 'text',
  integer: 'integer',
  number: 'double precision',
  boolean: 'boolean',
  date: 'date',
  osloTime: 'timestamp(6) with time zone',
  instant: 'timestamp(6) with time zone',
};

const NOT_CONTENT = {
  avtale: ['slettet', ...PLACE_COLUMNS, 'kilde_minne', 'avtrykk', 'mottatt', ...PHASE_COLUMNS],
  avtale_versjon: [
    ...VERSION_COLUMNS.filter((column) => !CONTENT_COLUMNS.includes(column)),
    'avtrykk',
    'laert',
    'lopenr',
  ],
};

let ingest: TestIngest;
beforeAll(async () => {
  ingest = await startTestIngest();
});
afterAll(() => ingest.stop());

test.each(['avtale', 'avtale_versjon'] as const)('%s holds each field, as it is read', async (table) => {
  const { rows } = await ingest.pool.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
  const types = new Map(rows.map(({ name, type }) => [name, type]));
  const expected = AVTALE_FIELDS.map((name) => [columnName(name), COLUMN_TYPES[FIELDS[name].read]] as const);
  expect(expected.map(([column]) => [column, types.get(column)])).toEqual(expected);
  expect([...types.keys()].sort()).toEqual([...CONTENT_COLUMNS, ...NOT_CONTENT[table]].sort());
});
