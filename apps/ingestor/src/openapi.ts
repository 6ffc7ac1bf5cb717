import { createOpenApi } from '@tiltak/platform';

/** How pages look: below the path that the platform's ingress is for. */
const STYLE = '/drift/stil';

/** Open to everyone: they hold no data. */
export const DOCUMENT_ROUTES = ['/openapi.json', '/swagger', '/swagger/*', `${STYLE}/*`];

const DESCRIPTION = `For the adapter of the organisation that owns the avtaler, and for people on duty.

**An adapter** sets its contract (\`PUT /adapter/v1/kontrakt\`), sends heartbeats as it promised, and pushes avtaler in pages: all of them now and then (full sync), changes as they come (delta), and ids that are gone (delete). What is answered with 201 is on Kafka, in every replica. A page that was not answered, or was answered with 503, is sent again as it was, after \`Retry-After\`.

**Order**: \`sistEndret\` decides. The newest wins, whatever comes last; equal goes to the one that came last; a deleted avtale is revived only by a newer one.

**Access**: an adapter has a machine token with the app role \`access_as_application\`, the scope \`tiltak:adapter\` and this organisation in the claim \`organisasjon\`, from the client that the contract belongs to. One outside of Nav has a token of Maskinporten with the scope of this service in the place of that, whose \`consumer\` is this organisation. Where the organisation's source publishes to Kafka itself, no adapter may write unless its configuration says so. Operations are for people: the token of somebody who has logged in, with a Nav ident, and the role \`drift\` or a group that is on duty. Neither takes the other's token (403).`;

export const { serve: serveOpenApi, text: openApiText } = createOpenApi({
  title: 'tiltak-datadeling: ingestor',
  description: DESCRIPTION,
  tags: {
    Kontrakt: 'What the adapter has promised, and whether it keeps it',
    Synk: 'Pages of avtaler',
  },
  token: 'Token of Entra ID: of a machine for an adapter, of a person for operations',
  outside: {
    token: "Maskinporten token with the scope of this organisation's adapter, whose `consumer` is the organisation",
    path: '/adapter/',
  },
  // A page may hold more than is used.
  closedSchemas: ['Kontrakt', 'SpillAvFlere', 'Forkast', 'FrigiKontrakt', 'RettAvstemming'],
  errors: {
    400: 'The request is not valid; `feil` names what, up to 100; `flereFeil` how many more',
    401: 'No token, or one that is not valid here',
    403: 'The token is not of an adapter of this organisation, of the client of the contract, or of a person on duty; or the source publishes to Kafka itself',
    404: 'No such thing',
    408: 'The body comes too slowly',
    409: 'The state of the thing does not allow this',
    413: 'More than 10,000 entries or 32 MiB, or more values than a body may hold',
    415: 'The body has another media type than is taken',
    500: 'Not meant to happen',
    503: 'Can not be answered now, and nothing has been accepted; send it again when `Retry-After` has passed',
  },
  bar: [
    ['/drift', 'Drift'],
    ['/drift/organisasjoner', 'Organisasjoner'],
    ['/drift/dokumentasjon/haandbok', 'Håndbok'],
  ],
  style: STYLE,
});
