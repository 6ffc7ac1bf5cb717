import { isOrganisasjonsnummer } from '../organisasjonsnummer.ts';
import type { JWTPayload } from 'jose';
import { invalidClaim } from './refused.ts';

/** What a verified token of Maskinporten says: which organisation asks, and for what. No other claim is read. */
export interface MaskinportenToken {
  issuedBy: 'maskinporten';
  /** seconds since 1970 */
  exp: number;
  clientId: string;
  /** organisation number of whose rights these are */
  consumer: string;
  /** organisation number of who asks on its behalf, when it has delegated that */
  supplier: string | undefined;
  scopes: readonly string[];
}

/** The identifiers that Maskinporten names organisations by: ISO 6523, of which 0192 are Norwegian organisation numbers. */
const AUTHORITY = 'iso6523-actorid-upis';
const ORGANISATION_ID = /^0192:(\d{9})$/;
const CLIENT_ID = /^[\w.-]{1,100}$/;
/** As OAuth has it (RFC 6749, 3.3): one space between two, and none around them. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** The most that the platform lets a scope have (`atMaxAge`), s: what lives longer was not issued for one of ours. */
export const MAX_LIFETIME_S = 680;

/** What must be there at all. */
export const MASKINPORTEN_CLAIMS = ['exp', 'iat', 'client_id', 'scope', 'consumer'];

/** @throws Problem 401 that names the first claim that is not as Maskinporten writes it, and never its value */
export function readMaskinportenToken(payload: JWTPayload): MaskinportenToken {
  const { iat = Number.NaN, exp = Number.NaN, client_id: clientId, scope } = payload;
  if (!(exp > iat && exp - iat <= MAX_LIFETIME_S)) throw invalidClaim('exp');
  if (typeof clientId !== 'string' || !CLIENT_ID.test(clientId)) throw invalidClaim('client_id');
  if (typeof scope !== 'string' || !SCOPES.test(scope)) throw invalidClaim('scope');
  const consumer = organisationIn(payload['consumer']);
  if (consumer === undefined) throw invalidClaim('consumer');
  return {
    issuedBy: 'maskinporten',
    exp,
    clientId,
    consumer,
    supplier: supplierIn(payload, consumer),
    scopes: scope.split(' '),
  };
}

function supplierIn(payload: JWTPayload, consumer: string): string | undefined {
  if (!Object.hasOwn(payload, 'supplier')) return undefined;
  const supplier = organisationIn(payload['supplier']);
  // Nobody delegates to itself: who writes that is not the one we know.
  if (supplier === undefined || supplier === consumer) throw invalidClaim('supplier');
  return supplier;
}

function organisationIn(claim: unknown): string | undefined {
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim)) return undefined;
  const { authority, ID: id } = claim as { authority?: unknown; ID?: unknown };
  if (authority !== AUTHORITY || typeof id !== 'string') return undefined;
  const number = ORGANISATION_ID.exec(id)?.[1];
  return number !== undefined && isOrganisasjonsnummer(number) ? number : undefined;
}
