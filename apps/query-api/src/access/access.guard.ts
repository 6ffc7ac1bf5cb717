import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PROBLEMS, Problem, setKonsument } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AvtaleField } from '../avtaler/avtaler.fields.ts';
import { metrics } from '../metrics.ts';
import { AuditLog } from '../lookups/audit-log.ts';
import { Konsumenter, type Behandlingsgrunnlag, type Konsument } from './konsumenter.ts';
import { OPERATION, OPERATIONS, type Operation } from './operations.ts';

/** Who asks, what for, and by which operation: known for every request that reaches a handler. */
export interface Grant {
  konsument: string;
  behandlingsgrunnlag: string;
  operation: Operation;
  /** those granted for the purpose, whatever the operation answers with */
  fields: ReadonlySet<AvtaleField>;
}

declare module 'fastify' {
  interface FastifyRequest {
    access?: Grant;
  }
}

/** Of a request that the guard let through. */
export function grantOf({ access }: FastifyRequest): Grant {
  if (!access) throw new Error('The request has passed no access check');
  return access;
}

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
      const basis = chooseGrunnlag(konsument, request.headers.behandlingsgrunnlag);
      request.access = requireGrant(konsument.navn, basis, operation);
    } catch (error) {
      await this.auditLog.recordDenial(konsument.navn, operation, request.body);
      throw error;
    }
    metrics.oppslag.inc({ konsument: konsument.navn, operasjon: operation });
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
  const basis = behandlingsgrunnlag.find(({ id }) => id === chosen);
  if (!basis) throw forbidden('The behandlingsgrunnlag in the header is not granted to this consumer');
  return basis;
}

function requireGrant(
  konsument: string,
  { id, operasjoner: operations, felter: fields }: Behandlingsgrunnlag,
  operation: Operation,
): Grant {
  if (!operations.has(operation)) {
    throw forbidden(`The operation ${operation} is not granted for behandlingsgrunnlag ${id}`);
  }
  const access = { konsument, behandlingsgrunnlag: id, operation, fields };
  requireFields(access, OPERATIONS[operation]);
  return access;
}

/** @throws Problem 403 that names the fields outside the grant */
export function requireFields(
  { behandlingsgrunnlag, operation, fields }: Grant,
  response: readonly AvtaleField[],
): void {
  const missing = response.filter((field) => !fields.has(field));
  if (missing.length > 0) {
    throw forbidden(
      `The operation ${operation} answers with fields that are not granted for behandlingsgrunnlag ${behandlingsgrunnlag}: ${missing.join(', ')}`,
    );
  }
}

function forbidden(detail: string): Problem {
  return new Problem(PROBLEMS.IKKE_TILGANG, detail);
}
