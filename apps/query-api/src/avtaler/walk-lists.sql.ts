import { CODE_VALUES, UKJENT } from '@tiltak/avtale';
import type { Params } from './avtaler.conditions.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';

/** Lists that are read on from at once, those that begin first: each of them by twenty rows at least. */
const MAX_LISTS = 'greatest(45, rom.plass / 20)::integer';

const LOWEST = `'00000000-0000-0000-0000-000000000000'::uuid`;
const HIGHEST = `'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid`;
/** As a range of the index, also from the first one there may be. */
export const ON_FROM_THERE = `avtale_id >= coalesce(gang.naadd, ${LOWEST}) and avtale_id is distinct from gang.naadd`;

/** Lists of avtaler, each in the order of avtaleId by an index, which have all that match between them. */
export interface Lists {
  name: string;
  /** make the table of that name */
  ctes: string[];
  /** rows that it took to make them */
  spent: string;
  /** where avtaler of a list `l` are: one of them for each list */
  arms: { from: string; where: string }[];
}

/**
 * The next of several lists, merged. Of all lists the first avtale is read; on from those that begin first, up to where
 * the next list begins. When a list has more than was read of it, what is complete goes to where that ended.
 */
export function listStep({ matches, cost }: { matches: string; cost: number }, { name, arms }: Lists): string {
  const of = (columns: string, condition: string, limit: string): string =>
    arms
      .map(
        ({ from, where }) => `(select ${columns} from ${from} avtalen where ${where} and ${condition}
          order by avtale_id limit ${limit})`,
      )
      .join(' union all ');
  return `select coalesce(max(antall_lister), 0) + count(*) * ${String(cost)} as lest,
      (array_agg(avtale_id order by avtale_id desc) filter (where er_hel))[1] as til,
      coalesce(array_agg(distinct avtale_id order by avtale_id) filter (where treff and er_hel), '{}') as treff,
      coalesce(bool_and(er_hel) and not bool_or(er_kuttet) and not bool_or(har_flere), true) as slutt
    from (
      select rad.*, nr = bredde as er_kuttet,
        coalesce(avtale_id <= (min(avtale_id::text collate "C") filter (where nr = bredde) over ())::uuid, true) as er_hel
      from (
        select rad.avtale_id, rad.treff, row_number() over (partition by hode.plass order by rad.avtale_id) as nr,
          antall_lister, bredde, neste is not null as har_flere
        from (
          select l.*, foerste.avtale_id as hode, row_number() over (order by foerste.avtale_id) as plass,
            count(*) over () as antall_lister,
            greatest(4, greatest(rom.plass, count(*) over () / ${String(cost)}) / least(count(*) over (), ${MAX_LISTS})) as bredde,
            nth_value(foerste.avtale_id, ${MAX_LISTS} + 1) over (order by foerste.avtale_id
              rows between unbounded preceding and unbounded following) as neste
          from ${name} l cross join lateral (${of('avtale_id', ON_FROM_THERE, '1')}) foerste) hode
        cross join lateral (${of(
          `avtale_id, ${matches} as treff`,
          `avtale_id >= hode.hode and avtale_id <= coalesce(hode.neste, ${HIGHEST})`,
          'hode.bredde',
        ).replace(/\bl\.(noekkel|status)\b/g, 'hode.$1')}) rad
        where hode.plass <= ${MAX_LISTS}) rad) rad`;
}

/** undefined: there is nothing but the order of all avtaler */
export function listsOf(filter: AvtaleFilter, params: Params): Lists | undefined {
  const { bedriftsnumre, gjeldendePer } = filter;
  if (bedriftsnumre) {
    return {
      name: 'liste',
      ctes: [
        `liste as materialized (select distinct nr as noekkel from unnest(${params.add(bedriftsnumre, 'text[]')}) as nr)`,
      ],
      spent: '0',
      arms: [employerArm(filter)],
    };
  }
  // The history has no index of them.
  if (gjeldendePer !== undefined || !(filter.tiltakstyper ?? filter.statuser)) return undefined;
  return listsOfKinds(filter, params);
}

/** Then: whom it is and has been with, which may say the same avtale twice. */
export function employerArm({ gjeldendePer }: AvtaleFilter): Lists['arms'][number] {
  return { from: gjeldendePer === undefined ? 'avtale_synlig' : 'versjon_bedrift', where: 'bedrift_nr = l.noekkel' };
}

/** By the index of kind, status and avtaleId: a list for each kind with each status, of those asked for that there are. */
function listsOfKinds({ tiltakstyper, statuser }: AvtaleFilter, params: Params): Lists {
  const kinds = valuesOf('tiltakstype', tiltakstyper && stored(CODE_VALUES.tiltakstype, tiltakstyper), params);
  const statuses = valuesOf('avtale_status', statuser && stored(CODE_VALUES.avtaleStatus, statuser), params);
  const either = (column: string, name: string, asked: unknown): string[] =>
    asked ? [`${column} = l.${name}`] : [`${column} = l.${name}`, `l.${name} is null and ${column} is null`];
  const ofStatus = either('avtale_status', 'status', statuser);
  return {
    name: 'liste',
    ctes: [
      `slag(noekkel) as materialized (${kinds('true')})`,
      `liste as materialized (
        select slag.noekkel, verdi.status from slag cross join lateral (
          ${statuses('tiltakstype = slag.noekkel')}) as verdi(status) where slag.noekkel is not null
        ${tiltakstyper ? '' : `union all select null, status from (${statuses('tiltakstype is null')}) as verdi(status)`})`,
    ],
    spent: '2 * (select count(*) from liste)',
    arms: either('tiltakstype', 'noekkel', tiltakstyper).flatMap((kind) =>
      ofStatus.map((status) => ({ from: 'avtale_synlig', where: `${kind} and ${status}` })),
    ),
  };
}

interface StoredValues {
  asked: string[];
  /** those that are none of the known ones */
  others: boolean;
  known: readonly string[];
}

function stored<T extends string>(
  { toSource, known }: { toSource: (value: T) => string; known: readonly string[] },
  values: readonly string[],
): StoredValues {
  const asked = values.filter((value) => value !== UKJENT).map((value) => toSource(value as T));
  return { asked, others: values.includes(UKJENT), known };
}

/** The values of a column that there are, as a table in parentheses: by an index, from one to the next. */
export function valuesThere(column: string, within: string): string {
  return `(with recursive funn(verdi) as (
      (select ${column} from avtale_synlig where ${within} and ${column} is not null order by ${column} limit 1)
      union all
      select (select ${column} from avtale_synlig where ${within} and ${column} > funn.verdi order by ${column} limit 1)
      from funn where funn.verdi is not null)
    select verdi from funn where verdi is not null)`;
}

/**
 * The values of a column that are asked for, as a statement in which `within` says where: those known as they are, and
 * what is unknown by going from one value that is there to the next.
 */
function valuesOf(column: string, values: StoredValues | undefined, params: Params): (within: string) => string {
  const asked = values && params.add(values.asked, 'text[]');
  const known = values?.others ? params.add(values.known, 'text[]') : undefined;
  return (within) => {
    // Without one, there may be those that say nothing.
    if (!values) return `select verdi from ${valuesThere(column, within)} funn union all select null::text`;
    const ofThese = `select distinct verdi from unnest(${asked ?? ''}) as verdi`;
    return known === undefined
      ? ofThese
      : `${ofThese} union all select verdi from ${valuesThere(column, within)} funn where verdi <> all(${known})`;
  };
}
