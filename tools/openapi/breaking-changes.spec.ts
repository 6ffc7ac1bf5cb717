import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { findBreakingChanges, type OpenApiDocument } from './breaking-changes.ts';

const read = (file: string, app = 'query-api'): OpenApiDocument =>
  JSON.parse(readFileSync(join(ROOT, 'apps', app, file), 'utf8')) as OpenApiDocument;

/**
 * The released version had no limits, and took what it could not store: 201, and then the stream stood still. What is
 * beyond them now is told at once.
 */
const LIMIT = /^Ressurs\.\w+: (maxLength|minimum|maximum) is narrower$/;

/** What is sent is the same, byte for byte. A client that is generated anew is given bytes in the place of a text (ADR 46). */
const AS_BYTES = 'GET /api/v1/eksport 200: the format is another';

/** A contract is answered to the adapter that sends it: only one that says `virksomheter` is told so (ADR 64). */
const AS_SENT = 'Kontrakt.ressurser[]: may be virksomheter';

// Of the ingestor, what adapters use: the operations of those on duty have no clients but ours.
test.each(['query-api', 'ingestor'])('nothing in the document of %s breaks a client of the released one', (app) => {
  const found = findBreakingChanges(read('openapi.released.json', app), read('openapi.json', app));
  expect(found.filter((change) => !LIMIT.test(change) && ![AS_BYTES, AS_SENT].includes(change))).toEqual([]);
});

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-dynamic-delete -- each case reaches into the document to change it */
const SEARCH = '/api/v1/avtaler/sok';
const AVTALE = '/api/v1/avtaler/{avtaleId}';
test.each<[string, (document: any) => void]>([
  [`POST ${SEARCH}: the operation is gone`, ({ paths }) => delete paths[SEARCH]],
  [`POST ${SEARCH}: the operationId is another`, ({ paths }) => (paths[SEARCH].post.operationId = 'finnAvtaler')],
  [`POST ${SEARCH} body: application/json is gone`, ({ paths }) => (paths[SEARCH].post.requestBody.content = {})],
  [`GET ${AVTALE}: the answer 404 is gone`, ({ paths }) => delete paths[AVTALE].get.responses['404']],
  [`GET ${AVTALE}: the parameter avtaleId is gone`, ({ paths }) => paths[AVTALE].get.parameters.shift()],
  [
    `GET ${AVTALE}: the parameter Behandlingsgrunnlag is required`,
    ({ paths }) => (paths[AVTALE].get.parameters.find((p: any) => p.name === 'Behandlingsgrunnlag').required = true),
  ],
  ['Lenke: the schema is gone, or has another name', ({ components }) => delete components.schemas.Lenke],
  ['Avtale.versjon: the field is gone', ({ components }) => delete components.schemas.Avtale.properties.versjon],
  ['Avtale.sistEndret: may be missing', ({ components }) => components.schemas.Avtale.required.splice(-2, 1)],
  [
    'Avtale.sistEndret: may be null',
    ({ components }) => (components.schemas.Avtale.properties.sistEndret.type = ['string', 'null']),
  ],
  [
    'Avtale.startDato: the format is another',
    ({ components }) => (components.schemas.Avtale.properties.startDato.format = 'date-time'),
  ],
  ['Sok.periode: is required', ({ components }) => (components.schemas.Sok.required = ['periode'])],
  ['Sok.endretEtter: the field is gone', ({ components }) => delete components.schemas.Sok.properties.endretEtter],
  ['Sok.antall: maximum is narrower', ({ components }) => (components.schemas.Sok.properties.antall.maximum = 999)],
  ['Sok.antall: number is not taken', ({ components }) => (components.schemas.Sok.properties.antall.type = 'string')],
  [
    'Sok.personidenter: maxItems is narrower',
    ({ components }) => (components.schemas.Sok.properties.personidenter.maxItems = 10),
  ],
  [
    'Sok.personidenter[]: maxLength is narrower',
    ({ components }) => (components.schemas.Sok.properties.personidenter.items = { type: 'string', maxLength: 10 }),
  ],
  [
    'Sok.personidenter[]: the pattern is another',
    ({ components }) => (components.schemas.Sok.properties.personidenter.items.pattern = '^x$'),
  ],
  [
    'Tiltakstype: MENTOR is not taken',
    ({ components }) =>
      (components.schemas.Tiltakstype.enum = components.schemas.Tiltakstype.enum.filter((v: string) => v !== 'MENTOR')),
  ],
])('%s', (breaks, change) => {
  const updated = read('openapi.released.json') as any;
  if (breaks.includes('number')) updated.components.schemas.Sok.properties.antall.type = 'number';
  const old = structuredClone(updated);
  change(updated);
  expect(findBreakingChanges(old, updated)).toContain(breaks);
});

test('what is new in an answer breaks nobody, when clients know of the unknown', () => {
  const old = read('openapi.released.json') as any;
  const updated = structuredClone(old);
  updated.components.schemas.Tiltakstype.enum.push('HELT_NY');
  updated.components.schemas.Avtale.properties.nytt = { type: 'string' };
  updated.components.schemas.Sok.properties.nytt = { type: 'string' };
  updated.paths['/api/v1/nytt'] = updated.paths[SEARCH];
  expect(findBreakingChanges(old, updated)).toEqual([]);
  old.components.schemas.Tiltakstype.enum = ['MENTOR'];
  expect(findBreakingChanges(old, updated)).toContainEqual(expect.stringMatching(/^Tiltakstype: may be /));
});
