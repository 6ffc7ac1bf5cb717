import { readFileSync } from 'node:fs';
import { FIELDS, GRANTABLE_FIELDS, STORED_FIELDS, type Field } from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import { startTestApi } from '../testing/test-api.ts';

/** The document and the views are written out, as contracts: here they are held against the table of fields. */
interface Schema {
  enum?: string[];
  required?: string[];
  properties?: Record<string, Record<string, unknown>>;
}
const file = new URL('../../openapi.json', import.meta.url);
const { schemas } = (JSON.parse(readFileSync(file, 'utf8')) as { components: { schemas: Record<string, Schema> } })
  .components;

const JSON_TYPES: Record<Field['read'], Record<string, unknown>> = {
  uuid: { type: 'string', format: 'uuid' },
  text: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  osloTime: { type: 'string', format: 'date-time' },
  instant: { type: 'string', format: 'date-time' },
};

function jsonSchema(name: string, { read, codes, required }: Field): unknown {
  if (codes) return { allOf: [{ $ref: `#/components/schemas/${name[0]?.toUpperCase() ?? ''}${name.slice(1)}` }] };
  const { type, ...format } = JSON_TYPES[read];
  return { type: required || read === 'boolean' ? type : [type, 'null'], ...format };
}

/** Worked out, and not read. */
const BESIDE = ['fase', 'annullertUnderveis', 'hovedenhet', '_links'];

test('the document shows the fields of the table, as they are read', () => {
  const shown = Object.entries(schemas['Avtale']?.properties ?? {}).filter(([name]) => !BESIDE.includes(name));
  // What says something about a field in words may change freely.
  const types = shown.map(([name, { description, example, ...type }]) => [name, type]);
  expect(types).toEqual(STORED_FIELDS.map((name) => [name, jsonSchema(name, FIELDS[name])]));
  const always = STORED_FIELDS.filter((name) => !FIELDS[name].codes);
  expect(schemas['Avtale']?.required).toEqual([...always, '_links']);
});

test('the fields that an extract can be asked for are those that can be granted', () => {
  expect(schemas['Avtalefelt']?.enum).toEqual(GRANTABLE_FIELDS);
  expect(Object.keys(schemas['Utdrag']?.properties ?? {})).toEqual(
    GRANTABLE_FIELDS.flatMap((name) => (name === 'fase' ? [name, 'annullertUnderveis'] : [name])),
  );
});

test.each(['avtale_synlig', 'avtale_versjon_synlig'])('%s has a column for each', async (view) => {
  const api = await startTestApi();
  try {
    const rows = await api.owner.query<{ column_name: string }[]>(
      'select column_name from information_schema.columns where table_name = $1',
      [view],
    );
    const columns = rows.map(({ column_name: column }) => column);
    expect(columns).toEqual(expect.arrayContaining(STORED_FIELDS.map(columnName)));
  } finally {
    await api.stop();
  }
});
