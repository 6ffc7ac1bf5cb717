import {
  CODE_VALUES,
  FASER,
  FIELD_ENTRIES,
  FIELDS,
  GRANTABLE_FIELDS,
  type AvtaleField,
  type Field,
  type FieldEntry,
} from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import type { OpenAPIObject } from '@nestjs/swagger';
import { NOT_AUDITED, type Operation } from '../access/operations.ts';
import { entryOf, fieldsOf, type ReadResource } from '../resources/resource.ts';
import { FIELD_SOURCES } from '../graphql/field-sources.ts';

/** A field of an avtale: what it means, where it comes from, and where it is answered. */
export interface CatalogueField extends FieldEntry {
  name: string;
  /** its name in a message; undefined: worked out of others */
  source: string | undefined;
  /** from there to the column */
  rule: string;
  /** of `avtale` */
  column: { name: string; type: string } | undefined;
  type: LogicalType;
  /** of a coded one: those that are published */
  values: readonly string[];
  /** null, or left out when it is coded, where the source has nothing */
  mayBeEmpty: boolean;
  maxLength: number | undefined;
  answers: Answers[];
}

/** The types of a data contract. */
export type LogicalType = 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'timestamp';

/** A schema that shows a field, and the operations that answer with it. */
export interface Answers {
  schema: string;
  operations: string[];
}

interface Reading {
  type: LogicalType;
  /** of the column */
  sql: string;
  rule: string;
}

const TIME = '0 to 9 decimals, rounded half up to whole microseconds';

const READINGS: Record<Field['read'], Reading> = {
  uuid: { type: 'string', sql: 'uuid', rule: 'A UUID, in lower case' },
  text: { type: 'string', sql: 'text', rule: 'The text as it stands' },
  integer: { type: 'integer', sql: 'integer', rule: 'A whole number of 32 bits' },
  number: { type: 'number', sql: 'double precision', rule: 'A number, with or without decimals' },
  boolean: { type: 'boolean', sql: 'boolean', rule: 'true or false; false when the source does not say' },
  date: { type: 'date', sql: 'date', rule: 'A day in Oslo' },
  osloTime: {
    type: 'timestamp',
    sql: 'timestamptz(6)',
    rule: `A wall-clock time in Oslo without offset, ${TIME}; the hour that comes twice in autumn is read as the first, the one that is left out in spring is moved forward. Kept and shown in UTC`,
  },
  instant: { type: 'timestamp', sql: 'timestamptz(6)', rule: `A moment in UTC, ${TIME}` },
};

/** All fields, in the order in which an avtale shows them; the last two are worked out. */
export function catalogueOf(document: OpenAPIObject): CatalogueField[] {
  const stored = Object.entries(FIELDS).map(([name, field]) => storedField(name, field, document));
  return [...stored, phaseField(document), unitField(document)];
}

function storedField(name: string, field: Field, document: OpenAPIObject): CatalogueField {
  const { source, read, codes, maxLength, required, internal, meaning, unit, personalData, since } = field;
  const { type, sql } = READINGS[read];
  return {
    ...{ name, source, meaning, personalData, since, maxLength, type },
    ...(unit === undefined ? {} : { unit }),
    rule: ruleOf(name, field),
    column: { name: columnName(name), type: sql },
    values: codes ? valuesOf(name) : [],
    mayBeEmpty: required !== true && read !== 'boolean',
    answers: internal ? [] : answersWith(name as AvtaleField, document),
  };
}

function ruleOf(name: string, { read, codes, maxLength, required, nullForMentor, internal }: Field): string {
  const sentences = [
    codes ? codeRule(name) : READINGS[read].rule,
    ...(nullForMentor ? ['Of a MENTOR it tells of the mentor, so it is not kept'] : []),
    ...(maxLength === undefined ? [] : [`A message with more than ${String(maxLength)} characters is parked`]),
    ...(required ? ['A message without it is parked'] : []),
    ...(internal ? ['Decides whether the avtale is shown, and is not itself shown'] : []),
  ];
  return `${sentences.join('. ')}.`;
}

function codeRule(name: string): string {
  const { toSource } = CODE_VALUES[name as keyof typeof CODE_VALUES] as { toSource: (value: string) => string };
  const spelt = valuesOf(name).flatMap((value) => (toSource(value) === value ? [] : [`${toSource(value)} → ${value}`]));
  const asAscii = spelt.length > 0 ? `, in ASCII (${spelt.join(', ')})` : '';
  return `The source's text is kept as it came, and shown as one of the values${asAscii}; a new value is shown as UKJENT until a release knows it, and the field is left out when the source has none`;
}

function valuesOf(name: string): readonly string[] {
  const { known, fromSource } = CODE_VALUES[name as keyof typeof CODE_VALUES];
  return [...known.map((text) => fromSource(text)), 'UKJENT'];
}

function phaseField(document: OpenAPIObject): CatalogueField {
  return {
    ...{ name: 'fase', ...FIELD_ENTRIES.fase, source: undefined, column: undefined, maxLength: undefined },
    rule: 'Worked out when it is asked for, of startDato, sluttDato, avtaleInngaatt in any version, annullertTidspunkt, avtaleStatus and opphav, by the decision table. With it comes annullertUnderveis, when that is true.',
    ...{ type: 'string', values: FASER, mayBeEmpty: false },
    answers: answersWith('fase', document),
  };
}

function unitField(document: OpenAPIObject): CatalogueField {
  return {
    ...{ name: 'hovedenhet', ...FIELD_ENTRIES.hovedenhet, source: undefined, column: undefined, maxLength: undefined },
    rule: 'Looked up in virksomheter by bedriftNr, when it is asked for: also of a version, what they say now.',
    ...{ type: 'string', values: [], mayBeEmpty: true },
    answers: answersWith('hovedenhet', document),
  };
}

/** A field of another resource. */
export interface ResourceCatalogueField extends FieldEntry {
  name: string;
  source: string | undefined;
  rule: string;
  column: { name: string; type: string };
  type: LogicalType;
  mayBeEmpty: boolean;
}

/** Of another resource, from its definition. */
export function resourceFields(read: ReadResource): ResourceCatalogueField[] {
  return fieldsOf(read).map((name) => {
    const { meaning, personalData, since, read: how } = entryOf(read, name);
    const field = read.resource.fields[name];
    const { type, sql, rule } = READINGS[how];
    return {
      ...{ name, meaning, personalData, since, type, source: field?.source },
      rule: field ? `${rule}.` : 'Worked out of what all of them say.',
      column: { name: columnName(name), type: sql },
      mayBeEmpty: field?.required !== true && how !== 'boolean',
    };
  });
}

/** What the document can't tell of: lines of a stream, and a schema of its own. */
const OTHERWISE: { operation: Operation; schema: string; fields: ReadonlySet<AvtaleField> }[] = [
  { operation: 'eksporterAvtaler', schema: 'Avtale', fields: new Set(GRANTABLE_FIELDS) },
  { operation: 'eksporterAvtaler', schema: 'Utdrag', fields: new Set(GRANTABLE_FIELDS) },
  {
    ...{ operation: 'graphql', schema: 'Avtale (GraphQL)' },
    fields: new Set([...FIELD_SOURCES.ny.values()].map(({ requires }) => requires)),
  },
];

function answersWith(field: AvtaleField, document: OpenAPIObject): Answers[] {
  const bySchema = new Map<string, Set<string>>();
  const add = (schema: string, operation: string): void => {
    bySchema.set(schema, (bySchema.get(schema) ?? new Set()).add(operation));
  };
  for (const [operation, schemas] of schemasByOperation(document)) {
    for (const schema of schemas) if (showsField(document, schema, field)) add(schema, operation);
  }
  for (const { operation, schema, fields } of OTHERWISE) if (fields.has(field)) add(schema, operation);
  return [...bySchema].map(([schema, operations]) => ({ schema, operations: [...operations] }));
}

const known = new WeakMap<OpenAPIObject, Map<string, ReadonlySet<string>>>();

/** By operation the schemas that its answer is made of. Operations that tell of no avtale have none. */
function schemasByOperation(document: OpenAPIObject): Map<string, ReadonlySet<string>> {
  const found = known.get(document) ?? new Map<string, ReadonlySet<string>>();
  if (found.size > 0) return found;
  for (const { get, post, put } of Object.values(document.paths)) {
    for (const operation of [get, post, put]) {
      if (!operation?.operationId || NOT_AUDITED.has(operation.operationId)) continue;
      found.set(operation.operationId, schemasIn(document, operation.responses['200']));
    }
  }
  known.set(document, found);
  return found;
}

function schemasIn(document: OpenAPIObject, part: unknown, into = new Set<string>()): Set<string> {
  for (const [, name = ''] of JSON.stringify(part ?? {}).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (into.has(name)) continue;
    into.add(name);
    schemasIn(document, document.components?.schemas?.[name], into);
  }
  return into;
}

/** The name alone does not tell it: other schemas have members of these names that are of no avtale. */
function showsField(document: OpenAPIObject, schema: string, field: AvtaleField): boolean {
  const found = document.components?.schemas?.[schema];
  if (!found || !('properties' in found)) return false;
  const member = found.properties?.[field];
  if (!member) return false;
  // Nothing else has this name.
  if (field === 'avtaleId') return true;
  return JSON.stringify(member).includes(JSON.stringify(FIELD_ENTRIES[field].meaning).slice(1, -1));
}
