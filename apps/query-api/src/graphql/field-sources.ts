import { GRANTABLE_FIELDS, toOsloMilliseconds, type AvtaleField } from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import { assertObjectType } from 'graphql';
import { toRfc3339, valueReader, type AvtaleRow, type Selection } from '../avtaler/avtaler.fields.ts';
import { SCHEMAS, type Dialect } from './schema.ts';

/** How a field of the type Avtale is answered, and the field that a consumer must be granted for it. */
export interface FieldSource {
  read: Selection;
  requires: AvtaleField;
  /** @param row read with `read` */
  value: (row: AvtaleRow) => unknown;
}

/** The field of an avtale that each argument reads: to search by it tells as much as to be answered with it. */
const SEARCHED_BY: Record<string, AvtaleField> = {
  avtaleId: 'avtaleId',
  avtaleNr: 'avtaleNr',
  personnummer: 'deltakerFnr',
  organisasjonsnummer: 'bedriftNr',
  tiltakstype: 'tiltakstype',
  status: 'avtaleStatus',
};

/** By the name of the argument, for every one of the schema. */
export const ARGUMENT_FIELDS: ReadonlyMap<string, AvtaleField> = new Map(
  Object.values(assertObjectType(SCHEMAS.ny.getQueryType()).getFields())
    .flatMap(({ args }) => args)
    .map(({ name }) => {
      const field = SEARCHED_BY[name];
      if (!field) throw new Error(`The argument ${name} of the GraphQL schema reads no known field`);
      return [name, field];
    }),
);

type Sources = ReadonlyMap<string, FieldSource>;

const LEARNED: FieldSource = {
  read: 'mottatt',
  requires: 'sistEndret',
  value: ({ mottatt: received = null }) => received && toRfc3339(String(received)),
};

const OTHER_SOURCES: Record<string, FieldSource> = {
  annullertUnderveis: {
    read: 'fase',
    requires: 'fase',
    value: ({ annullert_underveis: underway = null }) => underway,
  },
  endretTidspunkt: sourceFrom('sistEndret'),
  endring_mottatt_tidspunkt: LEARNED,
  endringMottattTidspunkt: LEARNED,
};

/** By the name of the field, in the order of the schema. */
export const FIELD_SOURCES: Readonly<Record<Dialect, Sources>> = {
  ny: sourcesOf('ny'),
  gammel: new Map([...sourcesOf('gammel')].map(([name, source]) => [name, asEarlier(name, source)])),
};

function sourcesOf(dialect: Dialect): Sources {
  const fields = assertObjectType(SCHEMAS[dialect].getType('Avtale')).getFields();
  return new Map(Object.keys(fields).map((name) => [name, sourceTo(name)]));
}

function sourceTo(name: string): FieldSource {
  const field = GRANTABLE_FIELDS.find((known) => known === name);
  const source = field ? sourceFrom(field) : OTHER_SOURCES[name];
  if (!source) throw new Error(`The field ${name} of the GraphQL schema is read from nowhere`);
  return source;
}

function sourceFrom(field: AvtaleField): FieldSource {
  const column = columnName(field);
  const toValue = valueReader(field);
  return { read: field, requires: field, value: (row) => toValue(row[column] ?? null) };
}

/** A whole number was never null there: its clients may not be ready for that. A moment is told in Oslo's time. */
function asEarlier(name: string, source: FieldSource): FieldSource {
  const type = String(assertObjectType(SCHEMAS.gammel.getType('Avtale')).getFields()[name]?.type);
  const { value } = source;
  if (type === 'Int') return { ...source, value: (row) => value(row) ?? 0 };
  if (type !== 'DateTime') return source;
  return {
    ...source,
    value: (row) => {
      const moment = value(row);
      return typeof moment === 'string' ? toOsloMilliseconds(moment) : null;
    },
  };
}
