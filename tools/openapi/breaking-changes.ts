/** As much of an OpenAPI 3.1 document as a client depends on. */
export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

interface Operation {
  operationId?: string;
  summary?: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, { content?: Content }>;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema?: Schema;
}

type Content = Record<string, { schema?: Schema }>;

interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string | string[];
  enum?: unknown[];
  pattern?: string;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  [limit: string]: unknown;
}

/** What callers send must still be taken; what they get must be what they knew. */
type Direction = 'inn' | 'ut';

/** With a value that stands for the unknown, clients are ready for what is new. */
const UKJENT = 'UKJENT';

/** Limits on what is sent, and which way narrows them. */
const LIMITS = { maximum: -1, maxLength: -1, maxItems: -1, minimum: 1, minLength: 1, minItems: 1 } as const;

/**
 * Everything in the new document that breaks a client made from the old one, each in a sentence with its place. Only
 * additions are allowed.
 */
export function findBreakingChanges(old: OpenApiDocument, updated: OpenApiDocument): string[] {
  const breaks = new Set<string>();
  const report = (place: string, what: string): void => void breaks.add(`${place}: ${what}`);
  const compare = schemaComparer(old, updated, report);
  for (const name of Object.keys(old.components?.schemas ?? {})) {
    if (!updated.components?.schemas?.[name]) report(name, 'the schema is gone, or has another name');
  }
  for (const [path, methods] of Object.entries(old.paths)) {
    for (const [method, before] of Object.entries(methods)) {
      const place = `${method.toUpperCase()} ${path}`;
      const now = updated.paths[path]?.[method];
      if (now) compareOperation(place, before, now, { report, compare });
      else report(place, 'the operation is gone');
    }
  }
  return [...breaks];
}

type Report = (place: string, what: string) => void;
type Compare = (place: string, before: Schema, now: Schema, direction: Direction) => void;

function compareOperation(
  place: string,
  before: Operation,
  now: Operation,
  { report, compare }: { report: Report; compare: Compare },
): void {
  if (before.operationId !== now.operationId) report(place, 'the operationId is another');
  compareParams(place, before.parameters ?? [], now.parameters ?? [], { report, compare });
  if (!before.requestBody?.required && now.requestBody?.required) report(place, 'a body is required');
  content(`${place} body`, before.requestBody?.content ?? {}, now.requestBody?.content ?? {}, 'inn');
  for (const [status, response] of Object.entries(before.responses)) {
    if (!now.responses[status]) report(place, `the answer ${status} is gone`);
    content(`${place} ${status}`, response.content ?? {}, now.responses[status]?.content ?? {}, 'ut');
  }

  function content(where: string, old: Content, fresh: Content, direction: Direction): void {
    for (const [type, { schema = {} }] of Object.entries(old)) {
      if (!fresh[type]) report(where, `${type} is gone`);
      else compare(where, schema, fresh[type].schema ?? {}, direction);
    }
  }
}

function compareParams(
  place: string,
  before: Parameter[],
  now: Parameter[],
  { report, compare }: { report: Report; compare: Compare },
): void {
  const isSame = (a: Parameter) => (b: Parameter) => a.name === b.name && a.in === b.in;
  for (const parameter of before) {
    const updated = now.find(isSame(parameter));
    if (updated) compare(`${place} ${parameter.name}`, parameter.schema ?? {}, updated.schema ?? {}, 'inn');
    else report(place, `the parameter ${parameter.name} is gone`);
  }
  for (const parameter of now) {
    const required = parameter.required && !before.find(isSame(parameter))?.required;
    if (required) report(place, `the parameter ${parameter.name} is required`);
  }
}

function schemaComparer(old: OpenApiDocument, updated: OpenApiDocument, report: Report): Compare {
  const seen = new Set<string>();
  const compare: Compare = (place, a, b, direction) => {
    const [before, now] = [lookUp(old, a), lookUp(updated, b)];
    const name = a.$ref ?? a.allOf?.[0]?.$ref;
    const where = name?.split('/').at(-1) ?? place;
    if (name !== undefined && seen.has(`${name} ${direction}`)) return;
    if (name !== undefined) seen.add(`${name} ${direction}`);
    compareValues(where, before, now, direction, report);
    for (const [field, schema] of Object.entries(before.properties ?? {})) {
      const fresh = now.properties?.[field];
      if (fresh) compare(`${where}.${field}`, schema, fresh, direction);
      else report(`${where}.${field}`, 'the field is gone');
    }
    const [required, requiredNow] = [before.required ?? [], now.required ?? []];
    if (direction === 'inn')
      for (const field of requiredNow) if (!required.includes(field)) report(`${where}.${field}`, 'is required');
    if (direction === 'ut') {
      for (const field of required) if (!requiredNow.includes(field)) report(`${where}.${field}`, 'may be missing');
    }
    if (before.items) compare(`${where}[]`, before.items, now.items ?? {}, direction);
  };
  return compare;
}

function compareValues(place: string, before: Schema, now: Schema, direction: Direction, report: Report): void {
  const [needed, offered] = direction === 'inn' ? [types(before), types(now)] : [types(now), types(before)];
  for (const type of needed) {
    if (offered.length > 0 && !offered.includes(type)) {
      report(place, direction === 'inn' ? `${type} is not taken` : `may be ${type}`);
    }
  }
  if (before.format !== now.format) report(place, 'the format is another');
  if (before.enum && now.enum) {
    const [more, fewer] = [fresh(before.enum, now.enum), fresh(now.enum, before.enum)];
    if (direction === 'inn' && fewer.length > 0) report(place, `${fewer.join(', ')} is not taken`);
    if (direction === 'ut' && more.length > 0 && !before.enum.includes(UKJENT))
      report(place, `may be ${more.join(', ')}`);
  }
  if (direction === 'ut') return;
  if (now.enum && !before.enum) report(place, 'only some values are taken');
  if (now.pattern !== undefined && now.pattern !== before.pattern) report(place, 'the pattern is another');
  for (const [limit, sign] of Object.entries(LIMITS)) {
    const [a, b] = [before[limit] ?? lengthsIn(before.pattern)[limit], now[limit]];
    if (typeof b === 'number' && (typeof a !== 'number' || (b - a) * sign > 0)) report(place, `${limit} is narrower`);
  }
}

/** The lengths that a pattern of one class of characters lets through, `^[0-9]{9}$`: what it is replaced by may be wider. */
function lengthsIn(pattern = ''): Record<string, number | undefined> {
  const [, min, max = min] = /^\^\[[^\]]+\]\{(\d+)(?:,(\d+))?\}\$$/.exec(pattern) ?? [];
  return min === undefined ? {} : { minLength: Number(min), maxLength: Number(max) };
}

function fresh(before: unknown[], now: unknown[]): unknown[] {
  return now.filter((value) => !before.includes(value));
}

function types({ type }: Schema): string[] {
  return type === undefined ? [] : [type].flat();
}

/** Without references: what it says, with what it is made of. */
function lookUp(document: OpenApiDocument, { $ref, allOf = [], ...own }: Schema): Schema {
  const parts = [
    ...allOf,
    ...($ref === undefined ? [] : [document.components?.schemas?.[$ref.split('/').at(-1) ?? ''] ?? {}]),
  ];
  return parts.reduce<Schema>((collected, part) => {
    const lookedUp = lookUp(document, part);
    return {
      ...lookedUp,
      ...collected,
      properties: { ...lookedUp.properties, ...collected.properties },
      required: [...(lookedUp.required ?? []), ...(collected.required ?? [])],
    };
  }, own);
}
