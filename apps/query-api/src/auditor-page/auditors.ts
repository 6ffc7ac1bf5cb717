import {
  clientOf,
  navIdentOf,
  PROBLEMS,
  Problem,
  requireOwnPage,
  setKonsument,
  whyNotPerson,
  type Token,
} from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';

/** Of whom a token must be: those on duty may not, unless they are auditors too. */
export function whyNoAuditor(token: Token, groupsOfAuditors: readonly string[]): string | undefined {
  const otherwise = 'The person has neither the role revisor nor a group of auditors';
  return whyNotPerson(token, { role: 'revisor', groups: groupsOfAuditors, otherwise });
}

/**
 * Of each route that isn't open, and before the body is read: it holds an ident.
 *
 * @throws Problem 403
 */
export function authorizeAuditors(groupsOfAuditors: readonly string[]): (request: FastifyRequest) => void {
  return (request) => {
    const { token } = request;
    if (!token) throw new Problem(PROBLEMS.MANGLER_TOKEN, 'The route needs a token');
    // The application, and never the person: who has read what stands in the audit of the audit only.
    setKonsument(clientOf(token));
    const reason = whyNoAuditor(token, groupsOfAuditors);
    if (reason !== undefined) throw new Problem(PROBLEMS.IKKE_TILGANG, reason);
    requireOwnPage(request);
  };
}

/** Who asks, as the audit of the audit names them: by their token, whatever they say themselves. */
export function auditorOf({ token }: FastifyRequest): string {
  const ident = token?.issuedBy === 'entra' ? navIdentOf(token) : undefined;
  if (ident === undefined) throw new Problem(PROBLEMS.IKKE_TILGANG, 'The token is of nobody that could be audited');
  return ident;
}
