import { Inject, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  clientOf,
  hasAppRole,
  isMachine,
  PROBLEMS,
  Problem,
  requireOwnPage,
  setKonsument,
  whyNotPerson,
  type EntraToken,
  type MaskinportenToken,
  type Token,
} from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';

/** What a caller of the ingestor may be; each operation is for one of them. */
export type Role = 'adapter' | 'drift';

/** An adapter that is not in Nav's Entra ID. */
interface OutsideAdapter {
  /** of the organisation that the process serves */
  organisasjonsnummer: string;
  /** organisation numbers of those who may come on its behalf */
  suppliers: readonly string[];
  scope: string;
}

/** Whom the process admits. */
export interface Admitted {
  /** that it serves; an adapter of another one is refused */
  organisasjon: string;
  /** ids of the groups whose members are on duty, besides those who have the role */
  groupsOnDuty: readonly string[];
  /** whose adapter may come with a token of Maskinporten; undefined: nobody's */
  outside?: OutsideAdapter | undefined;
  /** which resources its adapter may push: not those that their source publishes to Kafka itself */
  adapterMayWrite: 'ja' | 'nei' | 'virksomheter';
}

export const ADMITTED = Symbol('ADMITTED');

const ROLE = 'tiltak:rolle';

/** Who may call the operation, or those of the controller. Without it, nobody may. */
export const ForRole = (role: Role): MethodDecorator & ClassDecorator => SetMetadata(ROLE, role);

/** Lets a request through only when its token is of whom the operation is for; the token is verified before this. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    @Inject(ADMITTED) private readonly admitted: Admitted,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    // Batches from Kafka pass here too.
    if (context.getType() !== 'http') return true;
    const role = this.reflector.getAllAndOverride<Role | undefined>(ROLE, [context.getHandler(), context.getClass()]);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    requireRole(request, role, this.admitted);
    if (role === 'drift') requireOwnPage(request);
    return true;
  }
}

/** Whom the token must be of, as far as the path tells; the guard holds it against the operation as well. */
const ROLE_BY_PATH: [path: string, role: Role][] = [
  ['/adapter/', 'adapter'],
  ['/drift/', 'drift'],
];

/**
 * The same before the body is read: who is not admitted can't make the process read or keep anything. And no adapter
 * writes where the source does so itself, unless the organisation's configuration lets it.
 *
 * @throws Problem 403
 */
export function authorizeFor(admitted: Admitted): (request: FastifyRequest) => void {
  return (request) => {
    const { url = '' } = request.routeOptions;
    const role = ROLE_BY_PATH.find(([path]) => url.startsWith(path))?.[1];
    requireRole(request, role, admitted);
    if (role === 'adapter' && request.method !== 'GET' && !mayWrite(admitted, url)) {
      throw forbidden(
        'The source of this organisation publishes to Kafka itself; its configuration lets no adapter write (ADAPTER_KAN_SKRIVE)',
      );
    }
  };
}

/** A contract and heartbeats are of whoever may push something. */
function mayWrite({ adapterMayWrite: allowed }: Admitted, url: string): boolean {
  return allowed === 'ja' || (allowed === 'virksomheter' && url !== '/adapter/v1/avtaler/synk');
}

/** @throws Problem 403 */
function requireRole(request: FastifyRequest, role: Role | undefined, admitted: Admitted): void {
  const token = tokenOf(request);
  // The application, and never the person: who did something stands in the audit of actions only.
  setKonsument(clientOf(token));
  const reason = role === undefined ? 'The operation is granted to nobody' : whyRefused(token, role, admitted);
  if (reason !== undefined) throw forbidden(reason);
}

/** Of a request on a route that isn't open. */
export function tokenOf({ token }: FastifyRequest): Token {
  if (!token) throw new Problem(PROBLEMS.MANGLER_TOKEN, 'The route needs a token');
  return token;
}

/** An adapter is a machine, of one organisation only; somebody on duty is a person, by role or by group. */
export function whyRefused(token: Token, role: Role, admitted: Admitted): string | undefined {
  if (role === 'adapter') return whyNotAdapter(token, admitted);
  const otherwise = 'The person has neither the role drift nor a group on duty';
  return whyNotPerson(token, { role, groups: admitted.groupsOnDuty, otherwise });
}

function whyNotAdapter(token: Token, { organisasjon, outside }: Admitted): string | undefined {
  return token.issuedBy === 'entra' ? whyNotOurs(token, organisasjon) : whyNotOutside(token, outside);
}

/** By the organisation itself, or by a supplier that the configuration names. */
function whyNotOutside(token: MaskinportenToken, outside: OutsideAdapter | undefined): string | undefined {
  if (!outside) return 'No adapter of another organisation is admitted here';
  if (!token.scopes.includes(outside.scope)) return `The token lacks the scope ${outside.scope}`;
  if (token.consumer !== outside.organisasjonsnummer) return 'The token is of another organisation (consumer)';
  const isListed = token.supplier === undefined || outside.suppliers.includes(token.supplier);
  return isListed
    ? undefined
    : 'The supplier of the token is not one of this organisation (MASKINPORTEN_LEVERANDOERER)';
}

function whyNotOurs(token: EntraToken, organisasjon: string): string | undefined {
  if (!isMachine(token))
    return "The operation is for an organisation's adapter; this is not a machine token (idtyp app)";
  if (!hasAppRole(token)) return 'The token lacks the app role access_as_application (claim roles)';
  const { scope } = token;
  const scopes = typeof scope === 'string' ? scope.split(' ') : [];
  const isAdapter = scopes.includes('tiltak:adapter') && token.organisasjon === organisasjon;
  return isAdapter ? undefined : 'The token lacks the scope tiltak:adapter for this organisation';
}

const forbidden = (detail: string): Problem => new Problem(PROBLEMS.IKKE_TILGANG, detail);
