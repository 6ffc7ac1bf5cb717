/** As much of an OpenAPI document as its requests are made of. */
export interface RequestDocument {
  paths: Record<string, Record<string, RequestOperation>>;
  components: { schemas: Record<string, RequestSchema> };
}

interface RequestOperation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema?: RequestSchema }[];
  requestBody?: { content: Record<string, { schema: RequestSchema }> };
}

interface RequestSchema {
  $ref?: string;
  allOf?: RequestSchema[];
  oneOf?: RequestSchema[];
  type?: string | string[];
  properties?: Record<string, RequestSchema>;
  items?: RequestSchema;
  enum?: unknown[];
  pattern?: string;
  format?: string;
  maxLength?: number;
  example?: unknown;
}

/** A request that can't be right, and the field that the answer must name. */
export interface WrongRequest {
  operation: string;
  method: string;
  path: string;
  query: string;
  /** as it is sent: not all of it can be made with `JSON.stringify` */
  body: string | undefined;
  field: string;
}

/** Names that every object inherits, and other that code might stumble over. */
const NAMES = [
  'hasOwnProperty',
  'toString',
  'valueOf',
  'constructor',
  '__proto__',
  'prototype',
  '__defineGetter__',
  'x',
];
/** One of each type; the last ones are numbers that JSON can write and nobody can read as they are. */
const VALUES: readonly [type: string, json: string][] = [
  ['string', '"x"'],
  ['string', '""'],
  ['string', '"1"'],
  ['string', '"true"'],
  ['boolean', 'true'],
  ['array', '[]'],
  ['object', '{}'],
  ['object', '{"0":"x"}'],
  ['number', '1.5'],
  ['integer', '1'],
  ['none', '1e400'],
  ['none', '-1e400'],
  ['none', '9007199254740993'],
];

/**
 * Sends them, some at a time.
 *
 * @returns those that were not answered with 400 and a name of the field, or of something in it
 */
export async function toleratedOf(
  requests: readonly WrongRequest[],
  send: (request: WrongRequest) => Promise<{ status: number; body?: { feil?: { felt: string }[] } }>,
): Promise<unknown[]> {
  const tolerated: unknown[] = [];
  const left = [...requests];
  const work = async (): Promise<void> => {
    for (let request = left.shift(); request; request = left.shift()) {
      const { status, body } = await send(request);
      const named = (body?.feil ?? []).map(({ felt: field }) => field);
      const { field } = request;
      const isNamed = named.some(
        (name) => name === field || name.startsWith(`${field}.`) || name.startsWith(`${field}[`),
      );
      if (status !== 400 || !isNamed) tolerated.push({ ...request, status, named });
    }
  };
  await Promise.all([work(), work(), work()]);
  return tolerated;
}

/**
 * For each operation with a body or query: each member with each wrong JSON type, each object with names that it doesn't
 * have, each parameter given twice, as an object, and in the other ways that numbers are written.
 *
 * @param bodies valid ones, by operation; others are asked with one that is empty
 * @param open places of bodies (`ressurser[0].ressurs`) whose unknown members are ignored
 */
export function wrongRequests(
  document: RequestDocument,
  options: {
    pathValues: Record<string, string>;
    bodies: Record<string, object>;
    open?: (operation: string, field: string) => boolean;
  },
): WrongRequest[] {
  return Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => options.pathValues[name] ?? 'x');
      const request = { operation: operation.operationId, method: method.toUpperCase(), path };
      const body = JSON.stringify(options.bodies[operation.operationId] ?? {});
      const json = operation.requestBody?.content['application/json']?.schema;
      return [
        ...wrongQueries(operation).map((wrong) => ({ ...request, body: json && body, ...wrong })),
        ...(json ? wrongBodies(document, json, operation.operationId, options) : []).map((wrong) => ({
          ...request,
          query: '',
          ...wrong,
        })),
      ];
    }),
  );
}

function wrongQueries({ parameters = [] }: RequestOperation): { query: string; field: string }[] {
  const own = parameters.filter((parameter) => parameter.in === 'query');
  if (own.length === 0) return [];
  const unknown = NAMES.map((name) => ({ query: `?${name}=1`, field: name }));
  const named = own.flatMap(({ name, schema = {} }) => {
    const types = [schema.type ?? 'string'].flat();
    const asObject = { query: `?${name}[a]=1`, field: `${name}[a]` };
    if (types.includes('array')) return [asObject, { query: `?${name}=`, field: name }];
    const example = encodeURIComponent(String(schema.enum?.[0] ?? schema.example ?? 1));
    const twice = { query: `?${name}=${example}&${name}=${example}`, field: name };
    const numbers = ['1e1', '0x10', '%201', '1.0', '+1', 'true', '', '١'].map((text) => ({
      query: `?${name}=${text}`,
      field: name,
    }));
    return [asObject, twice, ...(types.includes('integer') ? numbers : [])];
  });
  return [...unknown, ...named];
}

interface Options {
  bodies: Record<string, object>;
  open?: (operation: string, field: string) => boolean;
}

function wrongBodies(
  document: RequestDocument,
  root: RequestSchema,
  operation: string,
  { bodies, open = () => false }: Options,
): { body: string; field: string }[] {
  const valid = bodies[operation] ?? {};
  const found: { body: string; field: string }[] = [];
  const walk = (schema: RequestSchema, path: (string | number)[]): void => {
    const { properties, items } = resolve(document, schema);
    if (path.length > 0) {
      for (const json of wrongValues(document, schema))
        found.push({ body: withValue(valid, path, json), field: fieldOf(path) });
    }
    if (items && resolve(document, items).properties) walk(items, [...path, 0]);
    if (!properties) return;
    if (!open(operation, fieldOf(path))) {
      for (const name of NAMES) {
        found.push({ body: withValue(valid, [...path, name], '1'), field: fieldOf([...path, name]) });
      }
    }
    for (const [name, member] of Object.entries(properties)) walk(member, [...path, name]);
  };
  walk(root, []);
  return found;
}

function resolve(document: RequestDocument, schema: RequestSchema): RequestSchema {
  const [only] = schema.allOf ?? [];
  const reference = schema.$ref ?? only?.$ref;
  if (reference === undefined) return schema;
  return resolve(document, document.components.schemas[reference.split('/').at(-1) ?? ''] ?? {});
}

/** Of another type than the schema's; null is a way to leave a member out. */
function wrongValues(document: RequestDocument, schema: RequestSchema): string[] {
  const { type, enum: codes, items, pattern, format } = resolve(document, schema);
  const types = [type ?? (codes ? 'string' : 'object')].flat();
  const isText = (json: string): boolean =>
    pattern === undefined ? !codes && format === undefined : new RegExp(pattern).test(String(JSON.parse(json)));
  const isRight = (of: string, json: string): boolean => {
    if (of === 'string') return types.includes('string') && isText(json);
    if (of === 'integer') return types.includes('integer') || types.includes('number');
    return types.includes(of);
  };
  const others = VALUES.filter(([of, json]) => !isRight(of, json)).map(([, json]) => json);
  const wrapped = types.includes('array') ? [] : ['["x"]', '[{}]', '[1]', '[null]'];
  if (!items) return [...others, ...wrapped];
  const entries = [...wrongValues(document, items), 'null'].map((json) => `[${json}]`);
  return [...others, ...entries, '[[{}]]'];
}

/** The text of a body in which that place holds that JSON; what is on the way there is made, where it isn't. */
function withValue(body: object, path: readonly (string | number)[], json: string): string {
  const MARK = '@@here@@';
  const put = (part: unknown, [step, ...rest]: readonly (string | number)[]): unknown => {
    if (step === undefined) return MARK;
    if (typeof step === 'number') return [put(Array.isArray(part) ? (part[0] as unknown) : undefined, rest)];
    const members = Object.entries(part ?? {}).filter(([name]) => name !== step);
    const own = Object.entries(part ?? {}).find(([name]) => name === step)?.[1] as unknown;
    return Object.fromEntries([...members, [step, put(own, rest)]]);
  };
  return JSON.stringify(put(body, path)).replace(`"${MARK}"`, () => json);
}

function fieldOf(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (field, step) =>
      typeof step === 'number' ? `${field}[${String(step)}]` : field === '' ? step : `${field}.${step}`,
    '',
  );
}
