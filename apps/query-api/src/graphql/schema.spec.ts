import { FIELDS, STORED_FIELDS, type Field } from '@tiltak/avtale';
import { assertObjectType } from 'graphql';
import { SCHEMAS } from './schema.ts';

/** The schema is written out, since its clients were generated from it: here it is held against the table of fields. */
const GRAPHQL_TYPES: Record<Field['read'], string> = {
  uuid: 'ID',
  text: 'String',
  integer: 'Int',
  number: 'Float',
  boolean: 'Boolean',
  date: 'Date',
  osloTime: 'DateTime',
  instant: 'DateTime',
};

test.each(['ny', 'gammel'] as const)('%s: a field has the type that it is read as', (dialect) => {
  const inSchema = assertObjectType(SCHEMAS[dialect].getType('Avtale')).getFields();
  // A field that is new since then need not be here.
  const common = STORED_FIELDS.filter((name) => name in inSchema);
  expect(common).toHaveLength(24);
  const types = common.map((name) => [name, String(inSchema[name]?.type)]);
  expect(types).toEqual(
    common.map((name) => {
      const { read, codes } = FIELDS[name];
      return [name, codes ? `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}` : GRAPHQL_TYPES[read]];
    }),
  );
});
