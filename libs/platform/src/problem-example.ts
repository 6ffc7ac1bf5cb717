import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS, type ProblemType } from './problem.ts';

type Schema = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];

const CALL_ID = 'b8b2a2f6-6f0e-4a43-9a3f-2a3a2f1a7c11';

/** What a caller may get with this status, with what the schema has beside a problem's own members. */
export function exampleOfProblem(document: OpenAPIObject, status: string, schema: Schema | undefined): unknown {
  const problem = Object.values(PROBLEMS).find((one: ProblemType) => String(one.status) === status);
  if (!problem) return undefined;
  const { feil: errors, ...members } = examplesIn(document, schema);
  return {
    ...members,
    type: `urn:tiltak-datadeling:feil:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.description,
    callId: CALL_ID,
    ...(status === '400' ? { feil: errors } : {}),
  };
}

/** The members of an object by the examples that they have, or that what they hold has. */
function examplesIn(document: OpenAPIObject, schema: Schema | undefined): Record<string, unknown> {
  const found = resolve(document, schema);
  if (!found) return {};
  const inherited = (found.allOf ?? []).map((part) => examplesIn(document, part));
  const own = Object.entries(found.properties ?? {}).map(([name, member]) => [name, exampleOf(document, member)]);
  return Object.assign({}, ...inherited, Object.fromEntries(own.filter(([, example]) => example !== undefined)));
}

function exampleOf(document: OpenAPIObject, member: Schema): unknown {
  const found = resolve(document, member);
  if (!found || found.example !== undefined) return found?.example as unknown;
  if (found.items) return [exampleOf(document, found.items)];
  const parts = examplesIn(document, found);
  return Object.keys(parts).length > 0 ? parts : undefined;
}

function resolve(document: OpenAPIObject, schema: Schema | undefined): Exclude<Schema, { $ref: string }> | undefined {
  if (!schema || !('$ref' in schema)) return schema;
  const name = schema.$ref.split('/').at(-1) ?? '';
  return resolve(document, document.components?.schemas?.[name]);
}
