import type { AvtaleField, Fase } from '@tiltak/avtale';

/** What to look for; everything given must hold. Coded values are the published ones. */
export interface AvtaleFilter {
  personidenter?: string[] | undefined;
  bedriftsnumre?: string[] | undefined;
  /** of a unit: its avtaler, and those of all that is below it, at whatever level */
  hovedenhet?: string | undefined;
  avtaleIder?: string[] | undefined;
  tiltakstyper?: string[] | undefined;
  statuser?: string[] | undefined;
  /** on `faseDato` */
  faser?: Fase[] | undefined;
  /** YYYY-MM-DD; when absent today in Oslo, or the day of `gjeldendePer` */
  faseDato?: string | undefined;
  /** both ends included, YYYY-MM-DD, and one may be open; an avtale without an end goes on, one without a start overlaps nothing */
  periode?: { fra?: string | undefined; til?: string | undefined } | undefined;
  /** exclusive, RFC 3339 */
  endretEtter?: string | undefined;
  deltakerId?: string | undefined;
  /** RFC 3339: what the system knew then, instead of what it knows now */
  gjeldendePer?: string | undefined;
}

/**
 * The fields of an avtale that each filter reads. A filter tells as much as a field: who may not see `bedriftNr` must not
 * learn it by asking for those who work there. So the grant must have these, and the audit counts them as used.
 */
export const FILTER_FIELDS: Readonly<Record<keyof AvtaleFilter, readonly AvtaleField[]>> = {
  personidenter: ['deltakerFnr'],
  deltakerId: ['deltakerFnr'],
  bedriftsnumre: ['bedriftNr'],
  hovedenhet: ['hovedenhet'],
  avtaleIder: ['avtaleId'],
  tiltakstyper: ['tiltakstype'],
  statuser: ['avtaleStatus'],
  faser: ['fase'],
  faseDato: ['fase'],
  periode: ['startDato', 'sluttDato'],
  endretEtter: ['sistEndret'],
  // Asked for one moment after the other, it tells when each change was learned of.
  gjeldendePer: ['sistEndret'],
};

const FILTERS = Object.keys(FILTER_FIELDS) as (keyof AvtaleFilter)[];

/** Those that are given, in one order whatever order the caller had them in. */
export function givenFilters(filter: AvtaleFilter): (keyof AvtaleFilter)[] {
  return FILTERS.filter((name) => filter[name] !== undefined);
}

/**
 * The filter of a purpose that is held to some kinds: what it may not see is not walked through either. That it is hidden
 * does not depend on this (`lookups/narrowed.ts`).
 */
export function heldToKinds(filter: AvtaleFilter, kinds: readonly string[] | undefined): AvtaleFilter {
  if (!kinds) return filter;
  return { ...filter, tiltakstyper: kinds.filter((kind) => filter.tiltakstyper?.includes(kind) ?? true) };
}

/** Fields of an avtale that a search by these filters reads. */
export function fieldsReadBy(filter: AvtaleFilter): AvtaleField[] {
  return givenFilters(filter).flatMap((name) => FILTER_FIELDS[name]);
}

/** How the audit tells of a filter: what it chose among, and never whom. Of a list of ids it tells how many. */
const IN_AUDIT: Readonly<Record<keyof AvtaleFilter, (filter: AvtaleFilter) => unknown>> = {
  personidenter: ({ personidenter }) => personidenter?.length,
  deltakerId: () => 1,
  avtaleIder: ({ avtaleIder }) => avtaleIder?.length,
  bedriftsnumre: ({ bedriftsnumre }) => bedriftsnumre,
  hovedenhet: ({ hovedenhet }) => hovedenhet,
  tiltakstyper: ({ tiltakstyper }) => tiltakstyper,
  statuser: ({ statuser }) => statuser,
  faser: ({ faser }) => faser,
  faseDato: ({ faseDato }) => faseDato,
  periode: ({ periode }) => periode,
  endretEtter: ({ endretEtter }) => endretEtter,
  gjeldendePer: ({ gjeldendePer }) => gjeldendePer,
};

/** The part of all avtaler that a search was of, without persons. */
export function subsetOf(filter: AvtaleFilter): Record<string, unknown> {
  const given = givenFilters(filter);
  return given.length === 0 ? { alle: true } : Object.fromEntries(given.map((name) => [name, IN_AUDIT[name](filter)]));
}
