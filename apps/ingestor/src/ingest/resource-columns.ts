import { columnName } from '@tiltak/database';
import type { Field, Resource } from '@tiltak/resource';

/** A column and its type. */
export type Column = readonly [name: string, type: string];

const SQL_TYPE: Readonly<Record<Field['read'], string>> = {
  uuid: 'uuid',
  text: 'text',
  integer: 'integer',
  number: 'double precision',
  boolean: 'boolean',
  date: 'date',
  osloTime: 'timestamptz',
  instant: 'timestamptz',
};

/** Names of tables and columns: from the definition of a resource, which is code, and never from outside. */
export interface ResourceColumns {
  table: string;
  key: string;
  keyType: string;
  order: string;
  /** in the order of the table of fields */
  content: readonly Column[];
}

export function columnsOf({ table, key, order, fields }: Resource): ResourceColumns {
  return {
    table,
    key: columnName(key),
    keyType: SQL_TYPE[fields[key]?.read ?? 'text'],
    order: columnName(order),
    content: Object.entries(fields).map(([name, { read }]) => [columnName(name), SQL_TYPE[read]]),
  };
}
