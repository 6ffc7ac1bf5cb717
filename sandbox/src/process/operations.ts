import { readFileSync } from 'node:fs';

/** An operation of the query-api, as its document tells of it. */
export interface Operation {
  id: string;
  method: string;
  path: RegExp;
  /** what it may answer with, by its document */
  statuses: ReadonlySet<number>;
}

interface Document {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
}

/** @param file the document that the query-api publishes */
export function readOperations(file: string): Operation[] {
  const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
  return Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, { operationId: id, responses }]) => ({
      id,
      method: method.toUpperCase(),
      path: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
      statuses: new Set(Object.keys(responses).map(Number)),
    })),
  );
}

/** Literal paths first, as the query-api's own router has it. */
export function operationOf(operations: readonly Operation[], method: string, target: string): Operation | undefined {
  const path = target.split('?', 1)[0] ?? '';
  const fitting = operations.filter((operation) => operation.method === method && operation.path.test(path));
  return fitting.sort((a, b) => b.path.source.length - a.path.source.length)[0];
}
