import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PROBLEMS, Problem, requireAppRole, setKonsument } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { metrics } from '../metrics.ts';
import { AuditLog, identsIn } from '../lookups/audit-log.ts';
import { forbidden, requireFields, type Grant } from './grant.ts';
import { Konsumenter, type Behandlingsgrunnlag, type Konsument } from './konsumenter.ts';
import { OpenRequests } from './open-requests.ts';
import { OPERATION, OPERATIONS, type Operation } from './operations.ts';
import { requireTerms } from './terms.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** set before the body is read, by `admitKonsument` */
    konsument?: Konsument;
  }
}

/**
 * Finds who asks, and takes from its quota, before the body is read: one who is not known, or asks too often, costs no more
 * than the check of its token. What is asked is held against the grant afterwards: a refusal is audited with the persons
 * that were named.
 *
 * @throws Problem 403, 429
 */
export function admitKonsument(konsumenter: Konsumenter): (request: FastifyRequest, reply: FastifyReply) => void {
  return (request, reply) => {
    const konsument = requireKonsument(konsumenter, request);
    setKonsument(konsument.navn);
    useQuota(konsument, reply);
    request.konsument = konsument;
  };
}

/** Lets a request through only when the registry of consumers grants it; who asks was found before this. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly konsumenter: Konsumenter,
    private readonly auditLog: AuditLog,
    private readonly openRequests: OpenRequests,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const operation = this.reflector.get<Operation | undefined>(OPERATION, context.getHandler());
    if (!operation) throw forbidden('This operation is not open to consumers');

    const { konsument = requireKonsument(this.konsumenter, request) } = request;
    try {
      request.grant = requireGrant(konsument, request, operation);
    } catch (error) {
      await this.auditLog.recordDenial({ konsument: konsument.navn, operation }, identsIn(request.body));
      throw error;
    }
    this.openRequests.add(http.getResponse<FastifyReply>().raw, () => this.isGranted(request, operation));
    metrics.lookups.inc({ konsument: konsument.navn, operasjon: operation });
    return true;
  }

  /** Whether it would be let through now. */
  private isGranted(request: FastifyRequest, operation: Operation): boolean {
    try {
      requireGrant(requireKonsument(this.konsumenter, request), request, operation);
      return true;
    } catch {
      return false;
    }
  }
}

/** @throws Problem 403 */
function requireKonsument(konsumenter: Konsumenter, { token }: FastifyRequest): Konsument {
  if (token) requireAppRole(token);
  const konsument = konsumenter.get(token?.azp ?? '');
  if (!konsument) throw forbidden('The client (azp) of the token is not a registered consumer');
  return konsument;
}

function useQuota({ navn: name, kvote: quota }: Konsument, reply: FastifyReply): void {
  if (!quota) return;
  const within = quota.bucket.tryRemoveTokens(1);
  reply.header('RateLimit-Policy', `"${name}";q=${String(quota.perSekund)};w=1`);
  if (!within) {
    metrics.overQuota.inc({ konsument: name });
    throw new Problem(PROBLEMS.FOR_MANGE, `The quota of ${String(quota.perSekund)} requests per second is used up`, {
      retryAfter: 1,
    });
  }
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

/** @throws Problem 403, or 400 when the purpose must be named */
function requireGrant(konsument: Konsument, { headers }: FastifyRequest, operation: Operation): Grant {
  requireTerms(konsument);
  const { id, operasjoner: operations, felter: fields } = chooseGrunnlag(konsument, headers.behandlingsgrunnlag);
  if (!operations.has(operation)) {
    throw forbidden(`The operation ${operation} is not granted for behandlingsgrunnlag ${id}`);
  }
  const grant = { konsument: konsument.navn, behandlingsgrunnlag: id, operation, fields };
  requireFields(grant, OPERATIONS[operation]);
  return grant;
}
