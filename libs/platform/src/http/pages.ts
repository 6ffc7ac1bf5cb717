import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { serveDocument } from './document.ts';

export const HTML = 'text/html; charset=utf-8';
export const JS = 'text/javascript; charset=utf-8';
export const CSS = 'text/css; charset=utf-8';

/**
 * Where the files of pages are: beside the program, where the build has laid those of all modules; in a checkout that is not
 * built, beside the module that serves them.
 *
 * @param directory of that module
 */
export const directoryOfPages = (directory: string): string => (typeof __dirname === 'string' ? __dirname : directory);

/** What a page is made of. */
export interface PageFile {
  type: string;
  content: Buffer | string;
}

/** Serves the files of a page by their paths, each as a document. */
export function servePage(server: FastifyInstance, files: Record<string, PageFile>): void {
  for (const [route, { type, content }] of Object.entries(files)) {
    serveDocument(server, route, { type, content: () => content, isPage: true });
  }
}

/**
 * Serves the documents that the build has laid in `directory`, each by its name: the same Markdown as in the repository. A
 * checkout that is not built has none.
 */
export function serveDocuments(server: FastifyInstance, base: string, directory: string): void {
  const files = existsSync(directory) ? readdirSync(directory) : [];
  servePage(
    server,
    Object.fromEntries(
      files.map((file) => [
        base + basename(file, '.html'),
        { type: HTML, content: readFileSync(join(directory, file)) },
      ]),
    ),
  );
}
