import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { fellesFeil, Problem, settKonsument } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Felt } from '../avtaler/felter.ts';
import { metrikker } from '../metrikker.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { Konsumenter, type Behandlingsgrunnlag, type Konsument } from './konsumenter.ts';
import { OPERASJON, OPERASJONER, type Operasjon } from './operasjoner.ts';

/** Who asks, what for, and by which operation: known for every request that reaches a handler. */
export interface Tilgang {
  konsument: string;
  behandlingsgrunnlag: string;
  operasjon: Operasjon;
  /** those granted for the purpose, whatever the operation answers with */
  felter: ReadonlySet<Felt>;
}

declare module 'fastify' {
  interface FastifyRequest {
    tilgang?: Tilgang;
  }
}

/** Of a request that the guard let through. */
export function tilgangI({ tilgang }: FastifyRequest): Tilgang {
  if (!tilgang) throw new Error('The request has passed no access check');
  return tilgang;
}

/** Lets a request through only when the registry of consumers grants it; the token is verified before this. */
@Injectable()
export class Tilgangsvakt implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly konsumenter: Konsumenter,
    private readonly oppslagslogg: Oppslagslogg,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const operasjon = this.reflector.get<Operasjon | undefined>(OPERASJON, context.getHandler());
    if (!operasjon) throw ikkeTilgang('This operation is not open to consumers');

    const konsument = this.konsumenter.get(request.token?.azp ?? '');
    if (!konsument) throw ikkeTilgang('The client (azp) of the token is not a registered consumer');
    settKonsument(konsument.navn);
    brukKvote(konsument, http.getResponse<FastifyReply>());
    try {
      const grunnlag = velgGrunnlag(konsument, request.headers.behandlingsgrunnlag);
      request.tilgang = krev(konsument.navn, grunnlag, operasjon);
    } catch (feil) {
      await this.oppslagslogg.skrivAvslag(konsument.navn, operasjon, request.body);
      throw feil;
    }
    metrikker.oppslag.inc({ konsument: konsument.navn, operasjon });
    return true;
  }
}

function brukKvote({ navn, kvote }: Konsument, reply: FastifyReply): void {
  if (!kvote) return;
  const innenfor = kvote.boette.tryRemoveTokens(1);
  reply.header('RateLimit-Policy', `"${navn}";q=${String(kvote.perSekund)};w=1`);
  if (!innenfor) {
    metrikker.overKvote.inc({ konsument: navn });
    throw new Problem(fellesFeil.FOR_MANGE, `The quota of ${String(kvote.perSekund)} requests per second is used up`, {
      retryAfter: 1,
    });
  }
}

function velgGrunnlag({ behandlingsgrunnlag }: Konsument, valgt: string | string[] | undefined): Behandlingsgrunnlag {
  const [eneste, ...flere] = behandlingsgrunnlag;
  if (valgt === undefined && eneste && flere.length === 0) return eneste;
  if (valgt === undefined) {
    const melding = `is required, since this consumer has several: ${behandlingsgrunnlag.map(({ id }) => id).join(', ')}`;
    throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The header Behandlingsgrunnlag is required', {
      feil: [{ felt: 'Behandlingsgrunnlag', melding }],
    });
  }
  const grunnlag = behandlingsgrunnlag.find(({ id }) => id === valgt);
  if (!grunnlag) throw ikkeTilgang('The behandlingsgrunnlag in the header is not granted to this consumer');
  return grunnlag;
}

function krev(konsument: string, { id, operasjoner, felter }: Behandlingsgrunnlag, operasjon: Operasjon): Tilgang {
  if (!operasjoner.has(operasjon)) {
    throw ikkeTilgang(`The operation ${operasjon} is not granted for behandlingsgrunnlag ${id}`);
  }
  const tilgang = { konsument, behandlingsgrunnlag: id, operasjon, felter };
  krevFelter(tilgang, OPERASJONER[operasjon]);
  return tilgang;
}

/** @throws Problem 403 that names the fields outside the grant */
export function krevFelter({ behandlingsgrunnlag, operasjon, felter }: Tilgang, svar: readonly Felt[]): void {
  const mangler = svar.filter((felt) => !felter.has(felt));
  if (mangler.length > 0) {
    throw ikkeTilgang(
      `The operation ${operasjon} answers with fields that are not granted for behandlingsgrunnlag ${behandlingsgrunnlag}: ${mangler.join(', ')}`,
    );
  }
}

function ikkeTilgang(detalj: string): Problem {
  return new Problem(fellesFeil.IKKE_TILGANG, detalj);
}
