import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

interface Schema {
  enum?: string[];
  items?: Schema;
  properties?: Record<string, Schema>;
  $ref?: string;
  allOf?: Schema[];
  [word: string]: unknown;
}

/**
 * The values of the coded members of answers that have one for the unknown, by the member's name.
 *
 * @throws when one name has different values in two schemas
 */
export function readKnownValues(): [name: string, values: string[]][] {
  const document = JSON.parse(readFileSync(join(ROOT, 'apps', 'query-api', 'openapi.json'), 'utf8')) as {
    components: { schemas: Record<string, Schema> };
  };
  const { schemas } = document.components;
  const known = new Map<string, string[]>();
  for (const { properties = {} } of Object.values(schemas)) {
    for (const [name, schema] of Object.entries(properties)) {
      const values = valuesOf(schema, schemas);
      if (!values?.includes('UKJENT')) continue;
      if (String(known.get(name) ?? values) !== String(values))
        throw new Error(`${name} has different values in two schemas`);
      known.set(name, values);
    }
  }
  return [...known].sort(([a], [b]) => (a < b ? -1 : 1));
}

function valuesOf(schema: Schema, schemas: Record<string, Schema>): string[] | undefined {
  const { $ref: reference, items, allOf = [], enum: values } = schema;
  if (values) return values;
  const named = reference === undefined ? undefined : schemas[reference.split('/').at(-1) ?? ''];
  for (const inner of [named, items, ...allOf]) {
    const found = inner && valuesOf(inner, schemas);
    if (found) return found;
  }
  return undefined;
}
