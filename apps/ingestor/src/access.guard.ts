import { Inject, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PROBLEMS, Problem, setKonsument, type Token } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import type { Served } from './operations/served.ts';

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
    requireRole(tokenOf(context.switchToHttp().getRequest<FastifyRequest>()), role, this.organisasjon);
    return true;
  }
}

/** Whom the token must be of, as far as the path tells; the guard holds it against the operation as well. */
const ROLE_BY_PATH: [path: string, role: Role][] = [
  ['/adapter/', 'adapter'],
  ['/drift/', 'drift'],
];

/**
 * The same before the body is read: who lacks the role can't make the process read or keep anything. And no adapter writes
 * where the source does so itself, unless the organisation's configuration lets it.
 *
 * @throws Problem 403
 */
export function authorizeFor({
  organisasjon,
  adapterMayWrite,
}: Pick<Served, 'organisasjon' | 'adapterMayWrite'>): (request: FastifyRequest) => void {
  return (request) => {
    const { url = '' } = request.routeOptions;
    const role = ROLE_BY_PATH.find(([path]) => url.startsWith(path))?.[1];
    requireRole(tokenOf(request), role, organisasjon);
    if (role === 'adapter' && !adapterMayWrite && request.method !== 'GET') {
      throw new Problem(
        PROBLEMS.IKKE_TILGANG,
        'The source of this organisation publishes to Kafka itself; its configuration lets no adapter write (ADAPTER_KAN_SKRIVE)',
      );
    }
  };
}

/** @throws Problem 403 */
function requireRole(token: Token, role: Role | undefined, organisasjon: string): void {
  setKonsument(token.azp);
  if (role === undefined) throw new Problem(PROBLEMS.IKKE_TILGANG, 'The operation is granted to nobody');
  if (!hasRole(token, role, organisasjon)) {
    throw new Problem(PROBLEMS.IKKE_TILGANG, `The token lacks the role ${role}`);
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
