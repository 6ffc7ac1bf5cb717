import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ROOT } from '@tiltak/testing';

type Content = Record<string, { schema: object }>;
interface ReleasedDocument {
  info: { version: string };
  paths: Record<string, Record<string, { responses: Record<string, { content?: Content }> }>>;
}

const DOCUMENT = JSON.parse(
  readFileSync(join(ROOT, 'apps', 'query-api', 'openapi.released.json'), 'utf8'),
) as ReleasedDocument;

export const RELEASED_VERSION = DOCUMENT.info.version;

/** What every avtale of the source has, so that an answer that lacks one has lost it: no schema says that of these. */
export const ALWAYS_TOLD = ['avtaleId', 'avtaleStatus', 'tiltakstype', 'sistEndret', '_links'];

/** How the consumer asks: an operation of the released document, and what stands in the place of its parameters. */
export interface Question {
  method: 'get' | 'post';
  /** as in the document */
  path: string;
  parameters?: Record<string, string>;
  body?: object;
}

/**
 * A consumer that was generated from the released document and never since: its readers are made from the schemas of that,
 * and take no answer that these don't describe.
 */
export class ReleasedClient {
  private readonly readers = new Map<string, ValidateFunction>();
  private readonly ajv: Ajv2020;
  private readonly url: string;
  private readonly headers: Record<string, string>;

  constructor(url: string, headers: Record<string, string>) {
    this.url = url;
    this.headers = headers;
    this.ajv = new Ajv2020({ strict: false, validateFormats: false });
    this.ajv.addSchema({ ...DOCUMENT, $id: 'released' });
  }

  /** @returns the answer, or what could not be read of it */
  async ask({ method, path, parameters = {}, body }: Question): Promise<{ answer: unknown } | { unreadable: string }> {
    const filled = path.replaceAll(/{(\w+)}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''));
    const response = await fetch(this.url + filled, {
      method: method.toUpperCase(),
      headers: this.headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as unknown;
    const read = this.reader(method, path, response);
    if (!read) return { unreadable: `${path}: ${String(response.status)} is not in the document` };
    return read(answer) ? { answer } : { unreadable: `${path}: ${this.ajv.errorsText(read.errors)}` };
  }

  private reader(method: string, path: string, response: Response): ValidateFunction | undefined {
    const status = String(response.status);
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    if (!DOCUMENT.paths[path]?.[method]?.responses[status]?.content?.[type]) return undefined;
    const points = ['paths', path, method, 'responses', status, 'content', type, 'schema'];
    const ref = `released#/${points.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    const reader = this.readers.get(ref) ?? this.ajv.compile({ $ref: ref });
    this.readers.set(ref, reader);
    return reader;
  }
}
