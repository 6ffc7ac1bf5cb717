import { kontekst } from './kontekst.ts';

export interface Feilkode {
  /** stable; `urn:tiltak-datadeling:feil:<kode>` is the `type` of the problem */
  kode: string;
  status: number;
  tittel: string;
  provIgjen: 'NEI' | 'MED_RETTET_FORESPORSEL' | 'ETTER_VENTING';
  beskrivelse: string;
}

/** The catalogue of errors that any app can answer with. */
export const fellesFeil = {
  UGYLDIG_FORESPORSEL: feil(
    400,
    'ugyldig-foresporsel',
    'Bad request',
    'MED_RETTET_FORESPORSEL',
    'The request is not valid; feil names each field that is wrong.',
  ),
  MANGLER_TOKEN: feil(
    401,
    'mangler-token',
    'Unauthorized',
    'MED_RETTET_FORESPORSEL',
    'The header Authorization has no Bearer token.',
  ),
  UGYLDIG_TOKEN: feil(
    401,
    'ugyldig-token',
    'Unauthorized',
    'MED_RETTET_FORESPORSEL',
    'The token is expired, from another issuer, for another service, or not a machine token. Get a new one.',
  ),
  IKKE_TILGANG: feil(
    403,
    'ikke-tilgang',
    'Forbidden',
    'NEI',
    'The consumer has not been granted this. Ask for access.',
  ),
  FINNES_IKKE: feil(404, 'finnes-ikke', 'Not found', 'NEI', 'There is no such route or thing.'),
  METODE_IKKE_TILLATT: feil(
    405,
    'metode-ikke-tillatt',
    'Method not allowed',
    'NEI',
    'The route exists, with other methods; Allow names them.',
  ),
  IKKE_AKSEPTABELT: feil(
    406,
    'ikke-akseptabelt',
    'Not acceptable',
    'MED_RETTET_FORESPORSEL',
    'Accept excludes every form this can be answered in.',
  ),
  TIDSAVBRUDD: feil(408, 'tidsavbrudd', 'Request timeout', 'ETTER_VENTING', 'The request did not arrive in time.'),
  KONFLIKT: feil(409, 'konflikt', 'Conflict', 'NEI', 'The state of the thing does not allow this.'),
  UTGAATT: feil(
    410,
    'utgaatt',
    'Gone',
    'MED_RETTET_FORESPORSEL',
    'The position in the change feed is from another epoch, or too old. nyStart tells where to start again.',
  ),
  FOR_STOR: feil(
    413,
    'for-stor',
    'Content too large',
    'MED_RETTET_FORESPORSEL',
    'The request is larger than the limit.',
  ),
  FOR_LANG_URL: feil(
    414,
    'for-lang-url',
    'URI too long',
    'MED_RETTET_FORESPORSEL',
    'The URL is longer than the limit.',
  ),
  FEIL_MEDIETYPE: feil(
    415,
    'feil-medietype',
    'Unsupported media type',
    'MED_RETTET_FORESPORSEL',
    'The body must be application/json in UTF-8.',
  ),
  FOR_MANGE: feil(
    429,
    'for-mange',
    'Too many requests',
    'ETTER_VENTING',
    'The quota is used up. Wait as Retry-After says.',
  ),
  FOR_STORE_HODER: feil(
    431,
    'for-store-hoder',
    'Request header fields too large',
    'MED_RETTET_FORESPORSEL',
    'The headers are larger than the limit.',
  ),
  INTERN_FEIL: feil(
    500,
    'intern-feil',
    'Internal error',
    'ETTER_VENTING',
    'A fault in this service. Tell us the callId.',
  ),
  UTILGJENGELIG: feil(
    503,
    'utilgjengelig',
    'Service unavailable',
    'ETTER_VENTING',
    'Can not be answered now. Wait as Retry-After says.',
  ),
} as const satisfies Record<string, Feilkode>;

function feil(
  status: number,
  kode: string,
  tittel: string,
  provIgjen: Feilkode['provIgjen'],
  beskrivelse: string,
): Feilkode {
  return { kode, status, tittel, provIgjen, beskrivelse };
}

/** One thing that is wrong with a request; never with the value. */
export interface Feltfeil {
  felt: string;
  melding: string;
}

interface Tillegg {
  feil?: Feltfeil[];
  /** further members of the body, by name */
  felter?: Record<string, unknown>;
  /** seconds */
  retryAfter?: number;
  /** headers of the answer */
  hoder?: Record<string, string>;
  cause?: unknown;
}

/** An error meant for the caller. `detail` never holds personal data or text from the request. */
export class Problem extends Error {
  constructor(
    readonly feilkode: Feilkode,
    readonly detail: string,
    readonly tillegg: Tillegg = {},
  ) {
    super(detail, { cause: tillegg.cause });
  }

  get hoder(): Record<string, string> {
    const { retryAfter, hoder } = this.tillegg;
    return {
      'content-type': 'application/problem+json; charset=utf-8',
      ...(this.feilkode.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...hoder,
    };
  }

  /** The body, RFC 9457. */
  tilJson(): Record<string, unknown> {
    const { kode, tittel, status } = this.feilkode;
    return {
      type: `urn:tiltak-datadeling:feil:${kode}`,
      title: tittel,
      status,
      detail: this.detail,
      callId: kontekst()?.callId ?? '',
      ...(this.tillegg.feil ? { feil: this.tillegg.feil } : {}),
      ...this.tillegg.felter,
    };
  }
}
