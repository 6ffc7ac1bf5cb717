import { setImmediate } from 'node:timers/promises';
import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { execute, GraphQLError, type ExecutionResult, type GraphQLFormattedError } from 'graphql';
import type { Rad } from '../avtaler/felter.ts';
import { Lesing } from '../database/lesing.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { ErOperasjon } from '../tilgang/operasjoner.ts';
import { krevFelter, tilgangI, type Tilgang } from '../tilgang/tilgang.ts';
import { MAKS_AVTALER, slaaOpp, type Utfall } from './avtaleoppslag.ts';
import { lesSporring, type Sporring } from './dokument.ts';
import { Avvist, fraProblem, tilSvar, ugyldig } from './feil.ts';
import { GraphqlForesporselDto } from './graphql.dto.ts';
import { planlegg, type Rotoppslag } from './rotoppslag.ts';
import { KILDER, skjema } from './skjema.ts';

interface Svar {
  data?: ExecutionResult['data'];
  errors?: GraphQLFormattedError[];
}

/** For clients that say they know it; it lets the status tell that nothing was executed. */
const MEDIETYPE = 'application/graphql-response+json';

/**
 * What clients of the service before this one ask, at the address they know. Everything is looked up and audited before
 * the operation is executed; execution only gives the answer its shape.
 */
@ApiExcludeController()
@Controller()
export class GraphqlController {
  constructor(
    private readonly lesing: Lesing,
    private readonly oppslagslogg: Oppslagslogg,
  ) {}

  @Post('graphql')
  @HttpCode(200)
  @ErOperasjon('graphql')
  @RouteConfig({ medietyper: ['application/json', MEDIETYPE] })
  async graphql(
    @Body() foresporsel: GraphqlForesporselDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Svar> {
    const svar = await this.besvar(foresporsel, request);
    if (request.headers.accept?.includes(MEDIETYPE)) {
      reply.header('content-type', `${MEDIETYPE}; charset=utf-8`);
      if (svar.data === undefined) reply.status(statusFor(svar.errors));
    }
    return svar;
  }

  private async besvar(foresporsel: GraphqlForesporselDto, request: FastifyRequest): Promise<Svar> {
    try {
      const sporring = lesSporring(foresporsel);
      const oppslag = planlegg(sporring);
      await this.krevTilgang(tilgangI(request), oppslag, request.body);
      return await utfor(sporring, await this.slaaOppAlle(tilgangI(request), oppslag));
    } catch (feil) {
      return { errors: avvisninger(feil).map(tilSvar) };
    }
  }

  private async krevTilgang(tilgang: Tilgang, oppslag: Rotoppslag[], body: unknown): Promise<void> {
    try {
      krevFelter(tilgang, feltene(oppslag));
    } catch (feil) {
      await this.oppslagslogg.skrivAvslag(tilgang.konsument, tilgang.operasjon, body);
      throw feil instanceof Problem ? new Avvist([fraProblem(feil)]) : feil;
    }
  }

  /** One after the other, so that no request takes more than one connection; audited together. */
  private async slaaOppAlle(tilgang: Tilgang, oppslag: Rotoppslag[]): Promise<Map<string, Utfall>> {
    const utfall = new Map<string, Utfall>();
    let plass = MAKS_AVTALER;
    for (const rot of oppslag) {
      const ett = await slaaOpp(this.lesing, rot, plass);
      plass = Math.max(0, plass - ett.lest);
      utfall.set(rot.noekkel, ett);
    }
    const besvarte = oppslag.filter(({ noekkel }) => !(utfall.get(noekkel)?.svar instanceof GraphQLError));
    if (besvarte.length > 0) await this.loggfoer(tilgang, feltene(besvarte), [...utfall.values()]);
    return utfall;
  }

  private loggfoer(tilgang: Tilgang, felter: ReturnType<typeof feltene>, utfall: Utfall[]): Promise<void> {
    const rader = utfall.flatMap((ett) => ett.rader);
    const deltakerIder = rader.flatMap((rad) => (rad['deltaker_id'] === null ? [] : [String(rad['deltaker_id'])]));
    const spurtEtter = utfall.flatMap(({ personidenter }) => personidenter);
    return this.oppslagslogg.skriv(tilgang, felter, spurtEtter, rader.length, deltakerIder);
  }
}

/** The fields to be granted, and to be found in the audit. */
function feltene(oppslag: Rotoppslag[]): Rotoppslag['kilder'][number]['krever'][] {
  return [...new Set(oppslag.flatMap(({ kilder }) => kilder.map(({ krever }) => krever)))];
}

async function utfor({ dokument, operasjon, variabler }: Sporring, utfall: ReadonlyMap<string, Utfall>): Promise<Svar> {
  const { data, errors } = await execute({
    schema: skjema,
    document: dokument,
    operationName: operasjon.name?.value,
    variableValues: variabler,
    fieldResolver: (rad: Rad | undefined, _argumenter, _kontekst, { path, fieldName }) =>
      rad ? KILDER.get(fieldName)?.verdi(rad) : svaret(utfall.get(String(path.key))),
  });
  return { ...(errors && { errors: errors.map(tilSvar) }), data: data ?? null };
}

/** Avtaler that are made into an answer in one go, while all other requests wait. */
const I_SLENGEN = 500;

function svaret({ svar }: Partial<Utfall> = {}): unknown {
  return Array.isArray(svar) && svar.length > I_SLENGEN ? stykkevis(svar) : svar;
}

function stykkevis(rader: Rad[]): Promise<Rad>[] {
  let tur = Promise.resolve();
  return rader.map((rad, i) => {
    if (i % I_SLENGEN === 0) tur = tur.then(() => setImmediate());
    return tur.then(() => rad);
  });
}

/** @throws what says nothing of the request itself: the database is away, say */
function avvisninger(feil: unknown): readonly GraphQLError[] {
  if (feil instanceof Avvist) return feil.feil;
  // An argument that is null after all, as only the variables tell.
  if (feil instanceof GraphQLError) return [ugyldig(feil.message, feil.nodes)];
  throw feil;
}

function statusFor([feil]: GraphQLFormattedError[] = []): number {
  const { IKKE_TILGANG, UGYLDIG_FORESPORSEL } = fellesFeil;
  return feil?.extensions?.['code'] === IKKE_TILGANG.kode ? IKKE_TILGANG.status : UGYLDIG_FORESPORSEL.status;
}
