import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROT } from '@tiltak/testing';
import { finnBrudd, type Dokument } from './brudd.ts';

const les = (fil: string, app = 'query-api'): Dokument =>
  JSON.parse(readFileSync(join(ROT, 'apps', app, fil), 'utf8')) as Dokument;

// Of the ingestor, what adapters use: the operations of those on duty have no clients but ours.
test.each(['query-api', 'ingestor'])('nothing in the document of %s breaks a client of the released one', (app) => {
  expect(finnBrudd(les('openapi.utgitt.json', app), les('openapi.json', app))).toEqual([]);
});

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-dynamic-delete -- each case reaches into the document to change it */
const SOK = '/api/v1/avtaler/sok';
const AVTALE = '/api/v1/avtaler/{avtaleId}';
test.each<[string, (dokument: any) => void]>([
  [`POST ${SOK}: the operation is gone`, ({ paths }) => delete paths[SOK]],
  [`POST ${SOK}: the operationId is another`, ({ paths }) => (paths[SOK].post.operationId = 'finnAvtaler')],
  [`POST ${SOK} body: application/json is gone`, ({ paths }) => (paths[SOK].post.requestBody.content = {})],
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
    'Sok.personidenter[]: the pattern is another',
    ({ components }) => (components.schemas.Sok.properties.personidenter.items.pattern = '^x$'),
  ],
  [
    'Tiltakstype: MENTOR is not taken',
    ({ components }) =>
      (components.schemas.Tiltakstype.enum = components.schemas.Tiltakstype.enum.filter((v: string) => v !== 'MENTOR')),
  ],
])('%s', (brudd, endre) => {
  const ny = les('openapi.utgitt.json') as any;
  if (brudd.includes('number')) ny.components.schemas.Sok.properties.antall.type = 'number';
  const gammel = structuredClone(ny);
  endre(ny);
  expect(finnBrudd(gammel, ny)).toContain(brudd);
});

test('what is new in an answer breaks nobody, when clients know of the unknown', () => {
  const gammel = les('openapi.utgitt.json') as any;
  const ny = structuredClone(gammel);
  ny.components.schemas.Tiltakstype.enum.push('HELT_NY');
  ny.components.schemas.Avtale.properties.nytt = { type: 'string' };
  ny.components.schemas.Sok.properties.nytt = { type: 'string' };
  ny.paths['/api/v1/nytt'] = ny.paths[SOK];
  expect(finnBrudd(gammel, ny)).toEqual([]);
  gammel.components.schemas.Tiltakstype.enum = ['MENTOR'];
  expect(finnBrudd(gammel, ny)).toContainEqual(expect.stringMatching(/^Tiltakstype: may be /));
});
