import { createOpenApi } from '@tiltak/platform';

/** How the page looks: below the path that the platform's ingress is for. */
const STYLE = '/revisor/stil';

/** Open to everyone: they hold no data. */
export const DOCUMENT_ROUTES = ['/openapi.json', '/swagger', '/swagger/*', `${STYLE}/*`];

/** Of this process only: what consumers are promised is the document of the query-api. */
export const { serve: serveOpenApi } = createOpenApi({
  title: 'tiltak-datadeling, revisor',
  description:
    'For people who may read who has seen a person, each time for a reason that is kept first. It is not for consumers, and follows the page `/revisor`.',
  tags: { Innsyn: 'Who has seen this person?' },
  token: 'Entra ID token of a person with the role revisor, or in a group of auditors',
  closedSchemas: ['OppslagSporring', 'InnsynSporring'],
  errors: {
    400: 'The request is not valid; `feil` names what, and never with what was sent',
    401: 'No token, or one that is not valid here',
    403: 'The token is not of an auditor',
    406: 'What this answers with is not accepted',
    408: 'The body comes too slowly',
    413: 'The request is too large',
    415: 'Only JSON is read',
    500: 'Not meant to happen',
    503: 'Can not be answered now; wait as `Retry-After` says',
  },
  bar: [['/revisor', 'Hvem har sett?']],
  style: STYLE,
});
