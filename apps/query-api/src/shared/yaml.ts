import { Ajv, type Schema } from 'ajv';
import { parseDocument, type Document } from 'yaml';

/**
 * What a text in YAML says, held against a JSON schema.
 *
 * @param refuse makes the error of lines that each name a place in the text, and what is wrong there
 */
export function parseYaml<T>(text: string, schema: Schema, refuse: (errors: string[]) => Error): T {
  const document = parseDocument(text);
  if (document.errors.length > 0) throw refuse(document.errors.map(({ message }) => message));
  const content = toContent(document, refuse);
  const validator = new Ajv({ allErrors: true, allowUnionTypes: true }).compile<T>(schema);
  if (validator(content)) return content;
  throw refuse(
    (validator.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath.slice(1).replaceAll('/', '.') || 'the file'} ${message ?? 'is wrong'}${explain(params)}`,
    ),
  );
}

/** What is valid YAML can still name an anchor that is not there, which is noticed here only. */
function toContent(document: Document, refuse: (errors: string[]) => Error): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw refuse([error instanceof Error ? error.message : 'is not YAML']);
  }
}

function explain(params: Record<string, unknown>): string {
  const [detail] = Object.values(params);
  return typeof detail === 'string' && detail.length < 60 ? ` (${detail})` : '';
}
