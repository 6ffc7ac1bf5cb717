import { hasAppRole, isMachine, navIdentOf } from './entra.ts';
import type { Token } from './token.ts';

/**
 * Why a token is not of a person at Nav who has the role or is a member of one of the groups.
 *
 * @param otherwise what is said of a person who has neither
 * @returns undefined when it is
 */
export function whyNotPerson(
  token: Token,
  { role, groups, otherwise }: { role: string; groups: readonly string[]; otherwise: string },
): string | undefined {
  if (token.issuedBy !== 'entra') return 'The operation is for people who have logged in at Nav';
  if (isMachine(token)) return 'The operation is for people who have logged in; this is a machine token (idtyp app)';
  if (navIdentOf(token) === undefined) return 'The token has no Nav ident (claim NAVident) that could be audited';
  const { groups: memberOf } = token;
  const isMember = Array.isArray(memberOf) && groups.some((id) => memberOf.includes(id));
  return hasAppRole(token, role) || isMember ? undefined : otherwise;
}
