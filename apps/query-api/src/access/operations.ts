import { applyDecorators, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { STORED_FIELDS, type AvtaleField } from '@tiltak/avtale';
import type { FastifyContextConfig } from 'fastify';

/**
 * Every operation by its operationId, and the fields of an avtale that its answer is made of: a consumer needs all of
 * them in its grant, since a published schema can't lose fields for some.
 */
export const OPERATIONS = {
  hentTiltaksstatus: ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato'],
  sokAvtaler: STORED_FIELDS,
  // Answers with the fields asked for; what a page is cut by goes with it.
  hentUtdrag: ['avtaleId'],
  hentAvtale: STORED_FIELDS,
  hentAvtaleMedNummer: STORED_FIELDS,
  hentVersjoner: STORED_FIELDS,
  hentDeltakersAvtaler: STORED_FIELDS,
  hentBedriftensAvtaler: STORED_FIELDS,
  hentEndringer: ['avtaleId'],
  // What a subscription is of is held against the grant as a filter is.
  lagreAbonnement: [],
  hentAbonnement: [],
  slettAbonnement: [],
  endreMedlemmer: [],
  // They answer with the fields that are asked for, so the grant is held against those.
  eksporterAvtaler: [],
  graphql: [],
  // Counts by the fields that are asked for, and the grant is held against those.
  hentStatistikk: [],
  hentFerskhet: [],
  hentDekning: [],
  hentTilgang: [],
} as const satisfies Record<string, readonly AvtaleField[]>;

export type Operation = keyof typeof OPERATIONS;

/** Every registered consumer may: they tell it of nothing but itself, also before it has accepted the terms of use. */
export const NEEDS_NO_GRANT: ReadonlySet<string> = new Set<Operation>(['hentTilgang']);

/** What a registry can grant. */
export const GRANTABLE_OPERATIONS = (Object.keys(OPERATIONS) as Operation[]).filter(
  (name) => !NEEDS_NO_GRANT.has(name),
);

/** They tell of no avtale, so their use is in no audit. */
export const NOT_AUDITED: ReadonlySet<string> = new Set<Operation>(['hentFerskhet', 'hentDekning', 'hentTilgang']);

export const OPERATION = 'operasjon';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** known of the route alone, before its handler is */
    operation?: Operation;
  }
}

/** Says which operation a handler is; a handler without it can't be reached. */
export function IsOperation(operation: Operation, route: FastifyContextConfig = {}): MethodDecorator {
  return applyDecorators(SetMetadata(OPERATION, operation), RouteConfig({ ...route, operation }));
}
