import type { JWTPayload } from 'jose';
import { PROBLEMS, Problem } from '../problem.ts';
import { invalidClaim, invalidToken } from './refused.ts';

/** What a verified token of Entra ID says, of an application or of a person who has logged in to one. No other claim is read. */
export interface EntraToken {
  issuedBy: 'entra';
  /** client id of the application that asks */
  azp: string;
  /** seconds since 1970 */
  exp: number;
  idtyp?: unknown;
  roles?: unknown;
  /** of a person */
  groups?: unknown;
  NAVident?: unknown;
  /** of an adapter: what it is for, and of which organisation it is */
  scope?: unknown;
  organisasjon?: unknown;
}

const CLAIMS = ['idtyp', 'roles', 'groups', 'NAVident', 'scope', 'organisasjon'] as const;

/** What must be there at all. */
export const ENTRA_CLAIMS = ['exp', 'azp'];

/** @throws Problem 401 */
export function readEntraToken(payload: JWTPayload, { takesPersons }: { takesPersons: boolean }): EntraToken {
  const { azp, exp = 0 } = payload;
  // With a colon it could be taken for that of a client elsewhere, `clientOf`.
  if (typeof azp !== 'string' || azp.includes(':')) throw invalidClaim('azp');
  const read = CLAIMS.filter((name) => Object.hasOwn(payload, name)).map((name) => [name, payload[name]]);
  const token: EntraToken = { ...Object.fromEntries(read), issuedBy: 'entra', azp, exp };
  if (!takesPersons && !isMachine(token)) throw invalidToken('The token is not a machine token (idtyp app)');
  return token;
}

/** What an application needs to call this one at all; Entra ID gives it by the access policy of the platform. */
const APPLICATION_ROLE = 'access_as_application';

export const isMachine = ({ idtyp }: EntraToken): boolean => idtyp === 'app';

export const hasAppRole = ({ roles }: EntraToken, role: string = APPLICATION_ROLE): boolean =>
  Array.isArray(roles) && roles.includes(role);

/** @throws Problem 403 */
export function requireAppRole(token: EntraToken): void {
  if (!hasAppRole(token)) {
    throw new Problem(PROBLEMS.IKKE_TILGANG, `The token lacks the app role ${APPLICATION_ROLE} (claim roles)`);
  }
}

/** Of the person who has logged in; undefined for a machine, and for a person who isn't employed at Nav. */
export function navIdentOf(token: EntraToken): string | undefined {
  const ident = isMachine(token) ? undefined : token.NAVident;
  return typeof ident === 'string' && /^[A-Z]\d{6}$/.test(ident) ? ident : undefined;
}
