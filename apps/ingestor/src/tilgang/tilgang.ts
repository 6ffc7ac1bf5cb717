import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { fellesFeil, Problem, settKonsument, type Token } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';

/** What a caller of the ingestor may be; each operation is for one of them. */
export type Rolle = 'drift';

const ROLLE = 'tiltak:rolle';

/** Who may call the operation, or those of the controller. Without it, nobody may. */
export const ForRolle = (rolle: Rolle): MethodDecorator & ClassDecorator => SetMetadata(ROLLE, rolle);

/** Lets a request through only when its token has the role of the operation; the token is verified before this. */
@Injectable()
export class Tilgangsvakt implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    // Batches from Kafka pass here too.
    if (context.getType() !== 'http') return true;
    const rolle = this.reflector.getAllAndOverride<Rolle | undefined>(ROLLE, [
      context.getHandler(),
      context.getClass(),
    ]);
    const token = tokenI(context.switchToHttp().getRequest<FastifyRequest>());
    settKonsument(token.azp);
    if (rolle === undefined) throw new Problem(fellesFeil.IKKE_TILGANG, 'The operation is granted to nobody');
    if (!roller(token).includes(rolle)) {
      throw new Problem(fellesFeil.IKKE_TILGANG, `The token lacks the role ${rolle}`);
    }
    return true;
  }
}

/** Of a request on a route that isn't open. */
export function tokenI({ token }: FastifyRequest): Token {
  if (!token) throw new Problem(fellesFeil.MANGLER_TOKEN, 'The route needs a token');
  return token;
}

function roller({ roles }: Token): unknown[] {
  return Array.isArray(roles) ? roles : [];
}
