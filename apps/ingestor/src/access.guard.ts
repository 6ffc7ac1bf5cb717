import { Inject, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PROBLEMS, Problem, setKonsument, type Token } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';

/** What a caller of the ingestor may be; each operation is for one of them. */
export type Role = 'adapter' | 'drift';

/** Name of the organisation that the process serves; an adapter of another one is refused. */
export const ORGANISASJON = Symbol('ORGANISASJON');

const ROLE = 'tiltak:rolle';

/** Who may call the operation, or those of the controller. Without it, nobody may. */
export const ForRole = (role: Role): MethodDecorator & ClassDecorator => SetMetadata(ROLE, role);

/** Lets a request through only when its token has the role of the operation; the token is verified before this. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    @Inject(ORGANISASJON) private readonly organisasjon: string,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    // Batches from Kafka pass here too.
    if (context.getType() !== 'http') return true;
    const role = this.reflector.getAllAndOverride<Role | undefined>(ROLE, [context.getHandler(), context.getClass()]);
    const token = tokenOf(context.switchToHttp().getRequest<FastifyRequest>());
    setKonsument(token.azp);
    if (role === undefined) throw new Problem(PROBLEMS.IKKE_TILGANG, 'The operation is granted to nobody');
    if (!hasRole(token, role, this.organisasjon)) {
      throw new Problem(PROBLEMS.IKKE_TILGANG, `The token lacks the role ${role}`);
    }
    return true;
  }
}

/** Of a request on a route that isn't open. */
export function tokenOf({ token }: FastifyRequest): Token {
  if (!token) throw new Problem(PROBLEMS.MANGLER_TOKEN, 'The route needs a token');
  return token;
}

/** An adapter is one by its scope, and of one organisation only; somebody on duty is so by a role. */
export function hasRole(token: Token, role: Role, organisasjon: string): boolean {
  const { roles, scope } = token;
  if (role === 'drift') return Array.isArray(roles) && roles.includes('drift');
  const scopes = typeof scope === 'string' ? scope.split(' ') : [];
  return scopes.includes('tiltak:adapter') && token['organisasjon'] === organisasjon;
}
