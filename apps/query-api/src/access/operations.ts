import { applyDecorators, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { STORED_FIELDS } from '@tiltak/avtale';
import type { FastifyContextConfig } from 'fastify';
import { operationsOf, type ResourceOperation } from '../resources/resource.ts';
import { RESOURCES } from '../resources/resources.ts';
import type { GrantedField } from './grant.ts';

/** Those that are not made by the mould of resources. */
const OWN_OPERATIONS = {
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
} as const satisfies Record<string, readonly GrantedField[]>;

export type Operation = keyof typeof OWN_OPERATIONS | ResourceOperation;

/** Of each resource: they answer with those of its fields that are granted, and always with its key. */
const RESOURCE_OPERATIONS: Readonly<Record<ResourceOperation, readonly GrantedField[]>> = Object.assign(
  {},
  ...RESOURCES.map(operationsOf),
);

/**
 * Every operation by its operationId, and the fields that its answer is made of: a consumer needs all of them in its
 * grant, since a published schema can't lose fields for some.
 */
export const OPERATIONS = { ...OWN_OPERATIONS, ...RESOURCE_OPERATIONS };

/** What it always answers with. */
export function fieldsOfOperation(operation: Operation): readonly GrantedField[] {
  return (OPERATIONS as Readonly<Record<string, readonly GrantedField[]>>)[operation] ?? [];
}

/** operationIds of resources besides avtaler. */
export const OF_RESOURCES: readonly string[] = Object.keys(RESOURCE_OPERATIONS);

/** They tell of another resource than avtaler. */
export function isOfResource(operation: Operation): operation is ResourceOperation {
  return operation in RESOURCE_OPERATIONS;
}

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
