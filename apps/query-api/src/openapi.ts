import { createOpenApi } from '@tiltak/platform';
import { RESOURCES } from './resources/resources.ts';
import { BAR } from './front-page/bar.ts';

const DESCRIPTION = `Reduced, read-only copies of avtaler about labour-market measures (tiltak), kept up to date from the source's Kafka topic.

**Access**: an Entra ID machine token for this service with the app role \`access_as_application\`, or, for another organisation, a token of Maskinporten for this service with its scope; and an entry in the registry of consumers for each purpose, operation and field, which has accepted the terms of use (docs/bruksvilkaar.md). With more than one purpose, the header \`Behandlingsgrunnlag\` names it. Every look-up of persons is logged.

**How fresh**: an answer carries \`Data-Oppdatert\`, the moment up to which everything that the source published is included in it. It is read with the data.

**Changes**: fields and operations are only added to v1. Values of coded fields that are new at the source appear as \`UKJENT\`. Times are RFC 3339 with offset.`;

const header = (
  description: string,
  type: string,
  format?: string,
): { description: string; schema: Record<string, string> } => ({
  description,
  schema: format ? { type, format } : { type },
});

const CALL = { 'Nav-Call-Id': header('The call id of the request', 'string') };
const LIMITS = {
  'RateLimit-Policy': header(
    'The limits of this consumer (draft-ietf-httpapi-ratelimit-headers): `kvote`, `q` requests in `w` seconds, when it has one; `samtidige`, `q` requests at the same time',
    'string',
  ),
  RateLimit: header('What is left of each, `r`; `kvote` is whole again after `t` seconds', 'string'),
};
const HEADERS = {
  ...CALL,
  ...LIMITS,
  'Data-Oppdatert': header('Everything the source published up to this moment is included', 'string', 'date-time'),
};

export const {
  serve: serveOpenApi,
  text: openApiText,
  document: createOpenApiDocument,
} = createOpenApi({
  title: 'tiltak-datadeling',
  description: DESCRIPTION,
  tags: {
    Personer: 'Is a person on a measure?',
    Avtaler: 'Which avtaler are there, and what do they say?',
    ...Object.fromEntries(RESOURCES.map(({ words }) => [words.tag, words.about])),
    Endringer: 'What has changed, and what is everything?',
    Data: 'How good is the data?',
    Tilgang: 'What may I ask?',
  },
  token: 'Entra ID machine token',
  outside: {
    token:
      'For other organisations: a Maskinporten token with the scope of this service, whose `consumer` is in the registry',
    path: '/',
  },
  closedSchemas: [
    'Sok',
    'UtdragSok',
    'Periode',
    'TiltaksstatusSporring',
    ...RESOURCES.map(({ schemas }) => schemas.search),
  ],
  nonEmptySchemas: ['Periode'],
  errors: {
    400: 'The request is not valid; `feil` names what',
    401: 'No token, or one that is not valid here',
    403: 'The consumer, the operation or a field is not granted, or the terms of use are not accepted',
    404: 'No such thing',
    406: 'What this answers with is not accepted',
    408: 'The body comes too slowly',
    410: 'The position in `Minst-Posisjon` is from another epoch of the change feed',
    413: 'The request is too large',
    415: 'Only JSON is read',
    429: 'The quota, or what this consumer may have under way, is used up; wait as `Retry-After` says',
    500: 'Not meant to happen',
    503: 'Can not be answered now; wait as `Retry-After` says',
  },
  parameters: [
    {
      name: 'Behandlingsgrunnlag',
      in: 'header',
      required: false,
      description: 'The purpose; required for a consumer with several',
      schema: { type: 'string' },
    },
    {
      name: 'Minst-Posisjon',
      in: 'header',
      required: false,
      description:
        'A `posisjon` of the change feed: what is looked up in avtaler holds all that the feed told up to there, or the answer is 503. For those who read what the feed told of: the app that answers may read from a replica that is a little behind. An export tells its own position',
      schema: { type: 'string', maxLength: 200 },
    },
    {
      name: 'Nav-Call-Id',
      in: 'header',
      required: false,
      description: 'Correlates logs; a new one is made when it is absent, or is not 1 to 100 of A–Z, a–z, 0–9, . _ : -',
      schema: { type: 'string' },
    },
  ],
  headers: HEADERS,
  errorHeaders: (status) => ({
    ...CALL,
    // Without a token that is valid, nobody knows whose limits to tell of.
    ...(status === '401' ? {} : LIMITS),
    ...(status === '429' || status === '503' ? { 'Retry-After': header('Seconds to wait', 'integer') } : {}),
  }),
  bar: BAR,
  // The questions first, what they are made of when asked for.
  ui: { defaultModelsExpandDepth: 0, filter: true },
});
