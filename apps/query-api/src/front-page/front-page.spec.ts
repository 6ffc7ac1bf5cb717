import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';

interface Recorded {
  request: { method: string; path: string; body?: unknown };
  status: number;
  content: unknown;
}
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content: Record<string, { schema: object }> }> }>>;
  components: object;
}

const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(import.meta.dirname, ...path), 'utf8'));
const recorded = read('static', 'innspilt.json') as Recorded[];
const document = read('..', '..', 'openapi.json') as Document;

/** Where nobody has a token, the page shows these. */
test.each(recorded.map((one) => [one.request.path, one] as const))(
  'what was recorded of %s is what the document says that it answers',
  (path, { request, content }) => {
    const operation = document.paths[path.split('?')[0] ?? '']?.[request.method.toLowerCase()];
    const schema = operation?.responses['200']?.content['application/json']?.schema ?? {};
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const validate = ajv.compile({ ...schema, components: document.components });
    validate(content);
    expect(validate.errors).toBeNull();
  },
);
