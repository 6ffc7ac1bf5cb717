import { currentContext } from './request-context.ts';

export interface ProblemType {
  /** stable; `urn:tiltak-datadeling:feil:<code>` is the `type` of the problem */
  code: string;
  status: number;
  title: string;
  retry: 'NEI' | 'MED_RETTET_FORESPORSEL' | 'ETTER_VENTING';
  description: string;
}

/** The catalogue of errors that any app can answer with. */
export const PROBLEMS = {
  UGYLDIG_FORESPORSEL: problemType(
    400,
    'ugyldig-foresporsel',
    'Bad request',
    'MED_RETTET_FORESPORSEL',
    'The request is not valid; feil names each field that is wrong.',
  ),
  MANGLER_TOKEN: problemType(
    401,
    'mangler-token',
    'Unauthorized',
    'MED_RETTET_FORESPORSEL',
    'The header Authorization has no Bearer token.',
  ),
  UGYLDIG_TOKEN: problemType(
    401,
    'ugyldig-token',
    'Unauthorized',
    'MED_RETTET_FORESPORSEL',
    'The token is expired, from another issuer, for another service, or not a machine token. Get a new one.',
  ),
  IKKE_TILGANG: problemType(
    403,
    'ikke-tilgang',
    'Forbidden',
    'NEI',
    'The consumer has not been granted this. Ask for access.',
  ),
  FINNES_IKKE: problemType(404, 'finnes-ikke', 'Not found', 'NEI', 'There is no such route or thing.'),
  METODE_IKKE_TILLATT: problemType(
    405,
    'metode-ikke-tillatt',
    'Method not allowed',
    'NEI',
    'The route exists, with other methods; Allow names them.',
  ),
  IKKE_AKSEPTABELT: problemType(
    406,
    'ikke-akseptabelt',
    'Not acceptable',
    'MED_RETTET_FORESPORSEL',
    'Accept excludes every form this can be answered in.',
  ),
  TIDSAVBRUDD: problemType(
    408,
    'tidsavbrudd',
    'Request timeout',
    'ETTER_VENTING',
    'The request did not arrive in time.',
  ),
  KONFLIKT: problemType(409, 'konflikt', 'Conflict', 'NEI', 'The state of the thing does not allow this.'),
  UTGAATT: problemType(
    410,
    'utgaatt',
    'Gone',
    'MED_RETTET_FORESPORSEL',
    'The position in the change feed is from another epoch, or too old. nyStart tells where to start again.',
  ),
  FOR_STOR: problemType(
    413,
    'for-stor',
    'Content too large',
    'MED_RETTET_FORESPORSEL',
    'The request is larger than the limit.',
  ),
  FOR_LANG_URL: problemType(
    414,
    'for-lang-url',
    'URI too long',
    'MED_RETTET_FORESPORSEL',
    'The URL is longer than the limit.',
  ),
  FEIL_MEDIETYPE: problemType(
    415,
    'feil-medietype',
    'Unsupported media type',
    'MED_RETTET_FORESPORSEL',
    'The body must be application/json in UTF-8.',
  ),
  FOR_MANGE: problemType(
    429,
    'for-mange',
    'Too many requests',
    'ETTER_VENTING',
    'The quota, or what a consumer may have under way at the same time, is used up. Wait as Retry-After says.',
  ),
  FOR_STORE_HODER: problemType(
    431,
    'for-store-hoder',
    'Request header fields too large',
    'MED_RETTET_FORESPORSEL',
    'The headers are larger than the limit.',
  ),
  INTERN_FEIL: problemType(
    500,
    'intern-feil',
    'Internal error',
    'ETTER_VENTING',
    'A fault in this service. Tell us the callId.',
  ),
  UTILGJENGELIG: problemType(
    503,
    'utilgjengelig',
    'Service unavailable',
    'ETTER_VENTING',
    'Can not be answered now. Wait as Retry-After says.',
  ),
} as const satisfies Record<string, ProblemType>;

function problemType(
  status: number,
  code: string,
  title: string,
  retry: ProblemType['retry'],
  description: string,
): ProblemType {
  return { code, status, title, retry, description };
}

/** One thing that is wrong with a request; never with the value. */
export interface FieldError {
  felt: string;
  melding: string;
}

interface ProblemExtras {
  feil?: FieldError[];
  /** further members of the body, by name */
  felter?: Record<string, unknown>;
  /** seconds */
  retryAfter?: number;
  /** headers of the answer */
  headers?: Record<string, string>;
  cause?: unknown;
}

/** An error meant for the caller. `detail` never holds personal data or text from the request. */
export class Problem extends Error {
  constructor(
    readonly problemType: ProblemType,
    readonly detail: string,
    readonly extras: ProblemExtras = {},
  ) {
    super(detail, { cause: extras.cause });
  }

  get headers(): Record<string, string> {
    const { retryAfter, headers } = this.extras;
    return {
      'content-type': 'application/problem+json; charset=utf-8',
      ...(this.problemType.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...headers,
    };
  }

  /** The body, RFC 9457. */
  toJson(): Record<string, unknown> {
    const { code, title, status } = this.problemType;
    return {
      type: `urn:tiltak-datadeling:feil:${code}`,
      title,
      status,
      detail: this.detail,
      callId: currentContext()?.callId ?? '',
      ...(this.extras.feil ? { feil: this.extras.feil } : {}),
      ...this.extras.felter,
    };
  }
}
