import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PROBLEMS, Problem, setKonsument } from '@tiltak/platform';
import { isUuid } from '@tiltak/avtale';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { metrics } from '../metrics.ts';
import { DenialLog, identsIn } from '../lookups/denial-log.ts';
import { forbidden, requireFields, type Grant } from './grant.ts';
import { atOnceProblem, ConsumerLimits } from './consumer-limits.ts';
import { Konsumenter, type Behandlingsgrunnlag, type Konsument } from './konsumenter.ts';
import { OPERATION, OPERATIONS, type Operation } from './operations.ts';

/** Lets a request through only when the registry of consumers grants it; the token is verified before this. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly konsumenter: Konsumenter,
    private readonly denialLog: DenialLog,
    private readonly limits: ConsumerLimits,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const operation = this.reflector.get<Operation | undefined>(OPERATION, context.getHandler());
    if (!operation) throw forbidden('This operation is not open to consumers');

    const azp = request.token?.azp ?? '';
    const konsument = this.konsumenter.get(azp);
    if (!konsument) {
      this.denialLog.record({ konsument: unregistered(azp), operation }, {});
      throw forbidden('The client (azp) of the token is not a registered consumer');
    }
    setKonsument(konsument.navn);
    this.useQuota(konsument, operation, http.getResponse<FastifyReply>());
    request.grant = this.grantOrDenial(konsument, operation, request);
    metrics.lookups.inc({ konsument: konsument.navn, operasjon: operation });
    return true;
  }

  private useQuota(konsument: Konsument, operation: Operation, reply: FastifyReply): void {
    try {
      useQuota(konsument);
      const release = this.limits.lookups.take(konsument.navn);
      if (!release) throw atOnceProblem(`${String(this.limits.lookups.max)} requests`);
      if (reply.raw.closed) release();
      else reply.raw.once('close', release);
    } catch (error) {
      metrics.overQuota.inc({ konsument: konsument.navn });
      this.denialLog.count({ konsument: konsument.navn, operation }, PROBLEMS.FOR_MANGE.code);
      throw error;
    }
  }

  /** Whatever is refused here is audited with the persons that the request names: its body has been read. */
  private grantOrDenial(konsument: Konsument, operation: Operation, { headers, body, params }: FastifyRequest): Grant {
    let grunnlag: Behandlingsgrunnlag | undefined;
    try {
      grunnlag = chooseGrunnlag(konsument, headers.behandlingsgrunnlag);
      return requireGrant(konsument.navn, grunnlag, operation);
    } catch (error) {
      const denied = { konsument: konsument.navn, behandlingsgrunnlag: grunnlag?.id, operation };
      this.denialLog.record(denied, { persons: identsIn(body), deltakerIds: deltakerIdsIn(params) });
      throw error;
    }
  }
}

/** How the audit names a client that has no name here. */
function unregistered(azp: string): string {
  return `azp:${azp.replace(/[^\w.-]/g, '')}`.slice(0, 100);
}

/** A participant's opaque id in the path. */
function deltakerIdsIn(params: unknown): string[] {
  const { deltakerId } = (params ?? {}) as { deltakerId?: unknown };
  return typeof deltakerId === 'string' && isUuid(deltakerId) ? [deltakerId] : [];
}

function useQuota({ kvote: quota }: Konsument): void {
  if (!quota || quota.bucket.tryRemoveTokens(1)) return;
  throw new Problem(PROBLEMS.FOR_MANGE, `The quota of ${String(quota.perSekund)} requests per second is used up`, {
    retryAfter: 1,
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

function requireGrant(
  konsument: string,
  { id, operasjoner: operations, felter: fields }: Behandlingsgrunnlag,
  operation: Operation,
): Grant {
  if (!operations.has(operation)) {
    throw forbidden(`The operation ${operation} is not granted for behandlingsgrunnlag ${id}`);
  }
  const grant = { konsument, behandlingsgrunnlag: id, operation, fields };
  requireFields(grant, OPERATIONS[operation]);
  return grant;
}
