import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PROBLEMS, Problem, setKonsument } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { metrics } from '../metrics.ts';
import { AuditLog, identsIn } from '../lookups/audit-log.ts';
import { forbidden, requireFields, type Grant } from './grant.ts';
import { Konsumenter, type Behandlingsgrunnlag, type Konsument } from './konsumenter.ts';
import { OPERATION, OPERATIONS, type Operation } from './operations.ts';

/** Lets a request through only when the registry of consumers grants it; the token is verified before this. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly konsumenter: Konsumenter,
    private readonly auditLog: AuditLog,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const operation = this.reflector.get<Operation | undefined>(OPERATION, context.getHandler());
    if (!operation) throw forbidden('This operation is not open to consumers');

    const konsument = this.konsumenter.get(request.token?.azp ?? '');
    if (!konsument) throw forbidden('The client (azp) of the token is not a registered consumer');
    setKonsument(konsument.navn);
    useQuota(konsument, http.getResponse<FastifyReply>());
    try {
      const grunnlag = chooseGrunnlag(konsument, request.headers.behandlingsgrunnlag);
      request.grant = requireGrant(konsument, grunnlag, operation);
    } catch (error) {
      await this.auditLog.recordDenial({ konsument: konsument.navn, operation }, identsIn(request.body));
      throw error;
    }
    metrics.lookups.inc({ konsument: konsument.navn, operasjon: operation });
    return true;
  }
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

function requireGrant(
  { navn: konsument, dialect }: Konsument,
  { id, operasjoner: operations, felter: fields }: Behandlingsgrunnlag,
  operation: Operation,
): Grant {
  if (!operations.has(operation)) {
    throw forbidden(`The operation ${operation} is not granted for behandlingsgrunnlag ${id}`);
  }
  const grant = { konsument, behandlingsgrunnlag: id, operation, fields, dialect };
  requireFields(grant, OPERATIONS[operation]);
  return grant;
}
