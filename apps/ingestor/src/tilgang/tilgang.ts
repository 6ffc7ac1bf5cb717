import { Inject, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { fellesFeil, Problem, settKonsument, type Token } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';

/** What a caller of the ingestor may be; each operation is for one of them. */
export type Rolle = 'adapter' | 'drift';

/** Name of the organisation that the process serves; an adapter of another one is refused. */
export const ORGANISASJON = Symbol('ORGANISASJON');

const ROLLE = 'tiltak:rolle';

/** Who may call the operation, or those of the controller. Without it, nobody may. */
export const ForRolle = (rolle: Rolle): MethodDecorator & ClassDecorator => SetMetadata(ROLLE, rolle);

/** Lets a request through only when its token has the role of the operation; the token is verified before this. */
@Injectable()
export class Tilgangsvakt implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    @Inject(ORGANISASJON) private readonly organisasjon: string,
  ) {}

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
    if (!harRolle(token, rolle, this.organisasjon)) {
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

/** An adapter is one by its scope, and of one organisation only; somebody on duty is so by a role. */
export function harRolle(token: Token, rolle: Rolle, organisasjon: string): boolean {
  const { roles, scope } = token;
  if (rolle === 'drift') return Array.isArray(roles) && roles.includes('drift');
  const scopes = typeof scope === 'string' ? scope.split(' ') : [];
  return scopes.includes('tiltak:adapter') && token['organisasjon'] === organisasjon;
}
