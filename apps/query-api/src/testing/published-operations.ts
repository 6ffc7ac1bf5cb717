import type { TestApi } from './test-api.ts';

/** A request that is valid: what is required, and nothing else. */
export interface PublishedOperation {
  id: string;
  method: string;
  path: string;
  body?: Record<string, unknown>;
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { required?: string[] }> };
}

/** What is required unless another member is there, which the document tells in words. */
const EITHER: Record<string, string[]> = { TiltaksstatusSporring: ['personidenter'] };

/**
 * Every operation of the document that the app publishes.
 *
 * @param values for the parameters and the members of bodies that are required, by name
 */
export async function publishedOperations(
  api: TestApi,
  values: Record<string, unknown>,
): Promise<PublishedOperation[]> {
  const document: Document = (await api.call('GET', '/openapi.json', { token: null })).body;
  const valueOf = (name: string): unknown => {
    if (!(name in values)) throw new Error(`The document requires ${name}, which the spec has no value for`);
    return values[name];
  };
  const bodyOf = ({ requestBody }: Operation): Record<string, unknown> | undefined => {
    const schema = requestBody?.content['application/json'].schema.$ref.split('/').at(-1);
    if (schema === undefined) return undefined;
    const { required = [] } = document.components.schemas[schema] ?? {};
    return Object.fromEntries([...required, ...(EITHER[schema] ?? [])].map((name) => [name, valueOf(name)]));
  };
  const queryOf = ({ parameters = [] }: Operation): string => {
    const required = parameters.filter((parameter) => parameter.in === 'query' && parameter.required === true);
    return required.map(({ name }, i) => `${i === 0 ? '?' : '&'}${name}=${String(valueOf(name))}`).join('');
  };
  return Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => String(valueOf(name)));
      const body = bodyOf(operation);
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path: path + queryOf(operation),
        ...(body && { body }),
      };
    }),
  );
}
