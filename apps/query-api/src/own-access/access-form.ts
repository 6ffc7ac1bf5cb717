import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIELDS, GRANTABLE_FIELDS, TILTAKSTYPER, UKJENT, type AvtaleField } from '@tiltak/avtale';
import { CSS, directoryOfPages, HTML, JS, servePage } from '@tiltak/platform';
import { Ajv } from 'ajv';
import ucs2length from 'ajv/dist/runtime/ucs2length.js';
import standalone from 'ajv/dist/standalone/index.js';
import type { FastifyInstance } from 'fastify';
import schema from '../access/konsumenter.schema.json' with { type: 'json' };
import { fieldsOfOperation, GRANTABLE_OPERATIONS } from '../access/operations.ts';
import { NEWEST_TERMS } from '../access/terms.ts';
import { FILTER_FIELDS } from '../avtaler/avtaler.filter.ts';
import { fieldsOf, granted } from '../resources/resource.ts';
import { RESOURCES } from '../resources/resources.ts';
import { answerWithKinds } from '../lookups/narrowed.ts';

/** Open: it holds no data, and takes none. What is filled in stays in the browser. */
export const ACCESS_FORM_ROUTES = ['/tilgang/skjema', '/tilgang/skjema/*'];

/** Serves the form that a team makes its entry in the registry of consumers with. */
export function serveAccessForm(server: FastifyInstance, organisasjon: string): void {
  const directory = directoryOfPages(import.meta.dirname);
  const file = (name: string): Buffer => readFileSync(join(directory, 'static', name));
  servePage(server, {
    '/tilgang/skjema': { type: HTML, content: file('tilgangsskjema.html') },
    '/tilgang/skjema/skjema.css': { type: CSS, content: file('tilgangsskjema.css') },
    '/tilgang/skjema/skjema.js': { type: JS, content: file('tilgangsskjema.js') },
    '/tilgang/skjema/oppforing.js': { type: JS, content: file('oppforing.js') },
    '/tilgang/skjema/regler.js': { type: JS, content: rulesModule(organisasjon) },
  });
}

/** What the page goes by, from what the service itself goes by: the schema of the registry, operations, fields, filters. */
function rulesModule(organisasjon: string): string {
  const { deltakerId: _ofPaths, ...filters } = FILTER_FIELDS;
  const rules = {
    organisasjon,
    terms: NEWEST_TERMS,
    operations: Object.fromEntries(GRANTABLE_OPERATIONS.map((name) => [name, fieldsOfOperation(name)])),
    fields: GRANTABLE_FIELDS.map((name) => ({ name, aboutPerson: isAboutPerson(name) })),
    // Of other resources, by their names in a grant.
    resourceFields: RESOURCES.flatMap((read) =>
      fieldsOf(read).map((name) => ({
        name: granted(read, name),
        aboutPerson: read.resource.fields[name]?.about === 'person',
      })),
    ),
    filters,
    kinds: TILTAKSTYPER.filter((kind) => kind !== UKJENT),
    withKinds: Object.fromEntries(GRANTABLE_OPERATIONS.map((name) => [name, answerWithKinds(name)])),
  };
  return `export const RULES = ${JSON.stringify(rules)};\n${validatorModule()}`;
}

const isAboutPerson = (name: AvtaleField): boolean =>
  name !== 'fase' && name !== 'hovedenhet' && FIELDS[name].about === 'person';

/** As a module of a browser, which may not make code of texts: the schema is compiled here. */
function validatorModule(): string {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, code: { source: true, esm: true } });
  ajv.addSchema(schema, 'validate');
  return withoutRequire(standalone(ajv, { validate: 'validate' }));
}

/** What it calls of ajv when it runs, as functions that stand alone; both ways in which a module of ajv comes here. */
const AT_RUN_TIME: Record<string, unknown> = {
  'ajv/dist/runtime/ucs2length': 'default' in ucs2length ? ucs2length.default : ucs2length,
};

function withoutRequire(code: string): string {
  const parts = new Map<string, string>();
  const text = code.replace(/require\("([^"]+)"\)\.default/g, (_, name: string) => {
    const part = AT_RUN_TIME[name];
    if (typeof part !== 'function')
      throw new Error(`The validator of the registry needs ${name}, which has no place here`);
    const id = `part${String(parts.size)}`;
    parts.set(id, String(part));
    return id;
  });
  return `${Array.from(parts, ([id, source]) => `const ${id} = ${source};`).join('\n')}\n${text}`;
}
