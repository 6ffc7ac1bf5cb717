import type { FastifyRequest } from 'fastify';
import { PROBLEMS, Problem } from '../problem.ts';

/**
 * On the platform the login proxy puts the token on whatever the browser sends with its cookie, so another site could make
 * the browser of somebody who has logged in do something here. Browsers tell where a request comes from, and programs send
 * nothing.
 *
 * @throws Problem 403
 */
export function requireOwnPage({ headers }: FastifyRequest): void {
  const from = headers['sec-fetch-site'];
  if (from === undefined || from === 'same-origin' || from === 'none') return;
  throw new Problem(PROBLEMS.IKKE_TILGANG, 'The request comes from the page of another site');
}
