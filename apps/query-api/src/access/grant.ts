import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import type { AvtaleField, Tiltakstype } from '@tiltak/avtale';
import type { AnswerMoment } from '../freshness/answer-moment.ts';
import type { Dialect } from '../graphql/schema.ts';
import type { Operation } from './operations.ts';

/** A field of another resource than avtaler, with its name: `virksomheter.navn`. */
export type ResourceField = `${string}.${string}`;
/** What a registry can grant, and an audit names. */
export type GrantedField = AvtaleField | ResourceField;

/** Who asks, what for, and by which operation: known for every request that reaches a handler. */
export interface Grant {
  konsument: string;
  behandlingsgrunnlag: string;
  /** organisation numbers of who asks from outside of Nav: the consumer's, and the supplier's that asks on its behalf */
  organisasjoner?: readonly string[] | undefined;
  operation: Operation;
  /** those granted for the purpose, whatever the operation answers with */
  fields: ReadonlySet<GrantedField>;
  /** granted, but only a newer version of the terms of use than the one accepted speaks of them */
  withheld?: ReadonlySet<GrantedField> | undefined;
  /** the only kinds that the purpose may be told of; undefined: all */
  kinds?: KindsHeldTo | undefined;
  /** of GraphQL */
  dialect: Dialect;
  /** up to when everything is included in what this request is answered with */
  moment: AnswerMoment;
  /** position of the change feed that the answer must have come to */
  atLeast?: string | undefined;
}

/** The kinds of measure that a purpose is held to. */
export interface KindsHeldTo {
  /** as they are published */
  published: readonly Tiltakstype[];
  /** as the source has them, and the database */
  stored: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    grant?: Grant;
  }
}

/** Of a request that the guard let through. */
export function grantOf({ grant }: FastifyRequest): Grant {
  if (!grant) throw new Error('The request has passed no access check');
  return grant;
}

/** @throws Problem 403 that names the fields outside the grant */
export function requireFields(
  { behandlingsgrunnlag, operation, fields, withheld }: Grant,
  answered: readonly GrantedField[],
): void {
  if (answered.every((field) => fields.has(field))) return;
  const missing = answered.filter((field) => !fields.has(field));
  const byTerms = missing.filter((field) => withheld?.has(field));
  const why = byTerms.length === 0 ? '' : `; ${byTerms.join(', ')} by the newest version of the terms of use only`;
  throw forbidden(
    `The operation ${operation} answers with fields that are not granted for behandlingsgrunnlag ${behandlingsgrunnlag}: ${missing.join(', ')}${why}`,
  );
}

export function forbidden(detail: string): Problem {
  return new Problem(PROBLEMS.IKKE_TILGANG, detail);
}
