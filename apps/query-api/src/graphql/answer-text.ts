import { setImmediate } from 'node:timers/promises';
import { execute, isNonNullType, type GraphQLFieldResolver, type GraphQLFormattedError } from 'graphql';
import type { AvtaleRow } from '../avtaler/avtaler.fields.ts';
import type { RootResult } from './avtale-lookup.ts';
import type { GraphqlRequest } from './document.ts';
import { toResponse } from './errors.ts';
import { FIELD_SOURCES } from './field-sources.ts';
import { SCHEMAS } from './schema.ts';

type Results = ReadonlyMap<string, RootResult>;
type Root = GraphQLFieldResolver<undefined, unknown>;

/** Avtaler that are made into an answer in one go, while all other requests wait. */
const CHUNK = 100;

/**
 * What an operation is answered with, as JSON. A long list is executed and written piece by piece: as objects, and with
 * all that execution makes of each, it would take ten times the memory of its text.
 */
export async function answerText(request: GraphqlRequest, results: Results): Promise<Buffer> {
  const long = new Map([...results].flatMap(([key, { answer }]) => (isLong(answer) ? [[key, answer] as const] : [])));
  const all = await run(request, ({ key }) => (long.has(key) ? [] : results.get(key)?.answer));
  const errors = all.errors;
  const parts: Buffer[] = [];
  let comma = '';
  for (const [key, value] of Object.entries(all.data ?? {})) {
    const rows = long.get(key);
    const name = `${comma}${JSON.stringify(key)}:`;
    comma = ',';
    if (!rows) {
      parts.push(Buffer.from(name + JSON.stringify(value)));
      continue;
    }
    parts.push(Buffer.from(`${name}[`));
    for (let at = 0; at < rows.length; at += CHUNK) {
      await setImmediate();
      const piece = await runPiece(request, key, rows, at);
      errors.push(...piece.errors);
      parts.push(Buffer.from(`${at > 0 ? ',' : ''}${piece.text}`));
    }
    parts.push(Buffer.from(']'));
  }
  const head = errors.length > 0 ? `{"errors":${JSON.stringify(errors)},"data":` : '{"data":';
  const data = all.data ? [Buffer.from('{'), ...parts, Buffer.from('}')] : [Buffer.from('null')];
  return Buffer.concat([Buffer.from(head), ...data, Buffer.from('}')]);
}

function isLong(answer: RootResult['answer']): answer is AvtaleRow[] {
  return Array.isArray(answer) && answer.length > CHUNK;
}

/** Some of the avtaler of one field at the top, without the brackets around them; the other fields are left empty. */
async function runPiece(
  request: GraphqlRequest,
  key: string,
  rows: AvtaleRow[],
  at: number,
): Promise<{ text: string; errors: GraphQLFormattedError[] }> {
  const { data, errors } = await run(request, (field) => {
    if (field.key === key) return rows.slice(at, at + CHUNK);
    return field.isList ? [] : null;
  });
  const moved = errors.map(({ path: [root, index, ...rest] = [], ...error }) => ({
    ...error,
    path: [root ?? key, Number(index) + at, ...rest],
  }));
  return { text: JSON.stringify(data?.[key]).slice(1, -1), errors: moved };
}

interface Executed {
  data: Record<string, unknown> | null;
  errors: GraphQLFormattedError[];
}

async function run(
  { dialect, document, operation, variables }: GraphqlRequest,
  answer: (root: { key: string; isList: boolean }) => unknown,
): Promise<Executed> {
  const resolveRoot: Root = (_row, _args, _context, { path, returnType }) =>
    answer({ key: String(path.key), isList: isNonNullType(returnType) });
  const { data, errors = [] } = await execute({
    schema: SCHEMAS[dialect],
    document,
    operationName: operation.name?.value,
    variableValues: variables,
    fieldResolver: (row: AvtaleRow | undefined, args, context, info) =>
      row ? FIELD_SOURCES[dialect].get(info.fieldName)?.value(row) : resolveRoot(undefined, args, context, info),
  });
  return { data: data ?? null, errors: errors.map(toResponse) };
}
