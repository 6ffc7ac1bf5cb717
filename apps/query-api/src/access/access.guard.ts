import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { organisationsOf, PROBLEMS, Problem, requireAppRole, setKonsument, type Token } from '@tiltak/platform';
import { isUuid } from '@tiltak/avtale';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { metrics } from '../metrics.ts';
import { AT_LEAST_HEADER } from '../lookups/at-least.ts';
import { DenialLog, identsIn } from '../lookups/denial-log.ts';
import { AnswerMoment } from '../freshness/answer-moment.ts';
import { forbidden, requireFields, type Grant } from './grant.ts';
import { atOnceProblem, ConsumerLimits } from './consumer-limits.ts';
import { Konsumenter, type Behandlingsgrunnlag, type Konsument } from './konsumenter.ts';
import { OpenRequests } from './open-requests.ts';
import { fieldsOfOperation, NEEDS_NO_GRANT, OPERATION, type Operation } from './operations.ts';
import { fieldsByTerms, requireTerms } from './terms.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** set before the body is read, by `admitKonsument` */
    konsument?: Konsument;
  }
}

/** What is known of consumers before a request is looked at. */
interface Admission {
  konsumenter: Konsumenter;
  limits: ConsumerLimits;
  denialLog: DenialLog;
  /** what a token of another organisation must be issued for; undefined: none are taken */
  scope: string | undefined;
}

/**
 * Finds who asks, and takes from its quota, before the body is read: one who is not known, or asks too often, costs no more
 * than the check of its token. What is asked is held against the grant afterwards: a refusal is audited with the persons
 * that were named.
 *
 * @throws Problem 403, 429
 */
export function admitKonsument(admission: Admission): (request: FastifyRequest, reply: FastifyReply) => void {
  return (request, reply) => {
    const operation = request.routeOptions.config.operation ?? UNKNOWN;
    const konsument = findKonsument(admission, request, operation);
    setKonsument(konsument.navn);
    takeShare(admission, konsument, operation, reply);
    request.konsument = konsument;
  };
}

/** Of a route that is no operation. */
const UNKNOWN = 'ukjent';

function findKonsument(admission: Admission, { token }: FastifyRequest, operation: string): Konsument {
  const { konsumenter, denialLog, scope } = admission;
  try {
    requireScope(token, scope);
    return requireKonsument(konsumenter, token);
  } catch (error) {
    denialLog.record({ konsument: nameOf(konsumenter, token), organisasjoner: organisasjonerOf(token), operation }, {});
    throw error;
  }
}

function takeShare(
  { limits, denialLog }: Admission,
  konsument: Konsument,
  operation: string,
  reply: FastifyReply,
): void {
  try {
    useQuota(konsument);
    const release = limits.lookups.take(konsument.navn);
    if (!release) throw atOnceProblem(`${String(limits.lookups.max)} requests`);
    if (reply.raw.closed) release();
    else reply.raw.once('close', release);
  } catch (error) {
    metrics.overQuota.inc({ konsument: konsument.navn });
    denialLog.count({ konsument: konsument.navn, operation }, PROBLEMS.FOR_MANGE.code);
    throw error;
  }
}

/** As Node has it. */
const AT_LEAST = AT_LEAST_HEADER.toLowerCase();

/** Lets a request through only when the registry of consumers grants it; who asks was found before this. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly konsumenter: Konsumenter,
    private readonly denialLog: DenialLog,
    private readonly openRequests: OpenRequests,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const operation = this.reflector.get<Operation | undefined>(OPERATION, context.getHandler());
    if (!operation) throw forbidden('This operation is not open to consumers');

    const { konsument } = request;
    if (!konsument) throw forbidden('Nobody is known to ask');
    const grant = this.grantOrDenial(konsument, operation, request);
    const atLeast = request.headers[AT_LEAST];
    if (atLeast !== undefined) grant.atLeast = [atLeast].flat()[0];
    request.grant = grant;
    this.openRequests.add(http.getResponse<FastifyReply>().raw, () => this.isGranted(request, operation));
    metrics.lookups.inc({ konsument: konsument.navn, operasjon: operation });
    return true;
  }

  /** Whether it would be let through now. */
  private isGranted(request: FastifyRequest, operation: Operation): boolean {
    try {
      const konsument = requireKonsument(this.konsumenter, request.token);
      if (NEEDS_NO_GRANT.has(operation)) return true;
      requireTerms(konsument, operation);
      requireGrant(konsument, chooseGrunnlag(konsument, request.headers.behandlingsgrunnlag), operation, request.token);
      return true;
    } catch {
      return false;
    }
  }

  /** Whatever is refused here is audited with the persons that the request names: its body has been read. */
  private grantOrDenial(konsument: Konsument, operation: Operation, request: FastifyRequest): Grant {
    const { headers, body, params, token } = request;
    if (NEEDS_NO_GRANT.has(operation)) return grantOfNothing(konsument, operation, token);
    let grunnlag: Behandlingsgrunnlag | undefined;
    try {
      requireTerms(konsument, operation);
      grunnlag = chooseGrunnlag(konsument, headers.behandlingsgrunnlag);
      return requireGrant(konsument, grunnlag, operation, token);
    } catch (error) {
      const organisasjoner = organisasjonerOf(token);
      const denied = { konsument: konsument.navn, organisasjoner, behandlingsgrunnlag: grunnlag?.id, operation };
      this.denialLog.record(denied, { persons: identsIn(body), deltakerIds: deltakerIdsIn(params) });
      throw error;
    }
  }
}

/** Of a token of Maskinporten: that it is for this at all, as the role is of one of Entra ID. @throws Problem 403 */
function requireScope(token: Token | undefined, scope: string | undefined): void {
  if (token?.issuedBy !== 'maskinporten') return;
  if (scope === undefined || !token.scopes.includes(scope))
    throw forbidden(`The token lacks the scope ${scope ?? 'of this service'}`);
}

/** @throws Problem 403 */
function requireKonsument(konsumenter: Konsumenter, token: Token | undefined): Konsument {
  if (token?.issuedBy === 'entra') requireAppRole(token);
  const konsument = konsumenter.of(token);
  if (konsument) return konsument;
  throw forbidden(
    token?.issuedBy === 'maskinporten'
      ? 'The organisation (consumer) of the token is not a registered consumer, or its supplier is not registered with it'
      : 'The client (azp) of the token is not a registered consumer',
  );
}

/** How the audit names a client, also one that has no name here. */
function nameOf(konsumenter: Konsumenter, token: Token | undefined): string {
  const known = konsumenter.of(token)?.navn;
  if (known !== undefined) return known;
  if (token?.issuedBy === 'maskinporten') return `org:${token.consumer}`;
  return `azp:${(token?.azp ?? '').replace(/[^\w.-]/g, '')}`.slice(0, 100);
}

const organisasjonerOf = (token: Token | undefined): readonly string[] | undefined => token && organisationsOf(token);

/** A participant's opaque id in the path. */
function deltakerIdsIn(params: unknown): string[] {
  const { deltakerId } = (params ?? {}) as { deltakerId?: unknown };
  return typeof deltakerId === 'string' && isUuid(deltakerId) ? [deltakerId] : [];
}

function useQuota({ kvote: quota }: Konsument): void {
  if (!quota || quota.take()) return;
  throw new Problem(PROBLEMS.FOR_MANGE, `The quota of ${String(quota.perSecond)} requests per second is used up`, {
    retryAfter: Math.max(1, Math.ceil(quota.waitSeconds)),
  });
}

function chooseGrunnlag(
  { behandlingsgrunnlag }: Konsument,
  chosen: string | string[] | undefined,
): Behandlingsgrunnlag {
  const [only, ...more] = behandlingsgrunnlag;
  if (chosen === undefined && only && more.length === 0) return only;
  if (chosen === undefined) {
    const message = `is required, since this consumer has several: ${behandlingsgrunnlag.map(({ id }) => id).join(', ')}`;
    throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The header Behandlingsgrunnlag is required', {
      feil: [{ felt: 'Behandlingsgrunnlag', melding: message }],
    });
  }
  const grunnlag = behandlingsgrunnlag.find(({ id }) => id === chosen);
  if (!grunnlag) throw forbidden('The behandlingsgrunnlag in the header is not granted to this consumer');
  return grunnlag;
}

/** Whoever it is may ask, and is told of no avtale. */
function grantOfNothing({ navn: konsument, dialect }: Konsument, operation: Operation, token?: Token): Grant {
  const organisasjoner = organisasjonerOf(token);
  const asked = { konsument, behandlingsgrunnlag: '', organisasjoner, operation };
  return { ...asked, fields: new Set(), dialect, moment: new AnswerMoment() };
}

function requireGrant(
  konsument: Konsument,
  { id, operasjoner: operations, felter: granted, kinds }: Behandlingsgrunnlag,
  operation: Operation,
  token: Token | undefined,
): Grant {
  if (!operations.has(operation)) {
    throw forbidden(`The operation ${operation} is not granted for behandlingsgrunnlag ${id}`);
  }
  const { navn, dialect } = konsument;
  const asked = { konsument: navn, behandlingsgrunnlag: id, organisasjoner: organisasjonerOf(token), operation };
  const grant = { ...asked, ...fieldsByTerms(konsument, granted), kinds, dialect, moment: new AnswerMoment() };
  requireFields(grant, fieldsOfOperation(operation));
  return grant;
}
