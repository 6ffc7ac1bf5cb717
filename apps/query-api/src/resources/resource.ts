import type { FieldEntry, Resource, Values } from '@tiltak/resource';
import type { GrantedField, ResourceField } from '../access/grant.ts';

/** An operationId that a resource has, and no other operation. */
export type ResourceOperation = string & { readonly isOfResource: true };

/** What is shown of something besides what messages say of it: a column of its view, worked out by the ingestor. */
export interface DerivedField extends FieldEntry {
  read: keyof Values;
}

/** How a filter finds its rows: by an index in the order of the key, by an index of few, or by looking at rows. */
export type FilterWay =
  /** by keys, at most a thousand */
  | { by: 'keys' }
  /** by the index of this field and the key */
  | { by: 'index'; field: string }
  /**
   * by keys that a function of the database gives, of the value and how many at most. When they are more, by looking at
   * those that may be among them, which an index has in the order of the key
   */
  | {
      by: 'function';
      sql: string;
      /** whether a key is among them, as SQL that costs the same however many they are */
      isIn: (key: string, value: string) => string;
      /** of a row that may be: what `column = …` finds, and the one key that it does not */
      among: (value: string) => { column: string; equals: string };
    }
  /** by the index of this field, as texts that begin so */
  | { by: 'prefix'; field: string }
  /** by no index: a page looks at a bounded number */
  | { by: 'looking'; field: string };

/** A criterion of a search. It tells as much as the field that it reads, so the grant must have that. */
export type ResourceFilter = FilterWay & {
  /** the field that the grant must have */
  reads: string;
  description: string;
  example: string | readonly string[];
  /** of a value, or of each in a list */
  pattern: string;
  /** the same in words: what a caller is told */
  form: string;
};

/** A link of an answer; with `sporring`, to an operation that is asked by POST. */
export interface ResourceLink {
  href: string;
  metode?: 'POST';
  sporring?: Record<string, string>;
}

export type ResourceRow = Record<string, string | number | boolean | null>;

/** What the query-api knows of a resource: all its routes, schemas and grants follow from it (ADR 65). */
export interface ReadResource {
  resource: Resource;
  /** what messages do not say; columns of the view bear their names in snake case */
  derived: Readonly<Record<string, DerivedField>>;
  operations: Readonly<Record<'search' | 'one' | 'changes' | 'export', string>>;
  /** schemas of the document */
  schemas: Readonly<Record<'one' | 'links' | 'page' | 'search' | 'field' | 'change' | 'changes', string>>;
  /** the resource, one of it and several, in sentences; and a question for each operation */
  words: { tag: string; about: string; one: string; several: string } & Record<
    'search' | 'oneQuestion' | 'changes' | 'export',
    string
  >;
  /** of each field that is shown */
  examples: Readonly<Record<string, string | number | boolean | null>>;
  /** of the key */
  keyPattern: string;
  filters: Readonly<Record<string, ResourceFilter>>;
  /** requests of a search, for the document */
  searches: Readonly<Record<string, { summary: string; value: Record<string, unknown> }>>;
  /** what each link leads to; made of the columns that were granted */
  links: Readonly<Record<string, { description: string; make: (row: ResourceRow) => ResourceLink | undefined }>>;
}

/** Those that can be granted, in the order in which they are shown. */
export function fieldsOf({ resource, derived }: ReadResource): string[] {
  return [...Object.keys(resource.fields).filter((name) => !resource.fields[name]?.internal), ...Object.keys(derived)];
}

export function entryOf({ resource, derived }: ReadResource, field: string): FieldEntry & { read: keyof Values } {
  const entry = resource.fields[field] ?? derived[field];
  if (!entry) throw new Error(`${resource.name} has no field ${field}`);
  return entry;
}

/** As grants and the audit name a field. */
export function granted({ resource }: ReadResource, field: string): ResourceField {
  return `${resource.name}.${field}`;
}

/** By operationId, the field that each always answers with. */
export function operationsOf(read: ReadResource): Record<ResourceOperation, readonly GrantedField[]> {
  const key = [granted(read, read.resource.key)];
  return Object.fromEntries(Object.values(read.operations).map((name) => [name, key]));
}
