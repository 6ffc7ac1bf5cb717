import { CODE_VALUES, UKJENT } from '@tiltak/avtale';
import { conditionsOf, dateRange, type Params } from './avtaler.conditions.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';

/**
 * What one page may look at, without those that it answers with: then it ends, and says how far it came. Pages of the usual
 * size end early among more than some ten thousand avtaler only; who asks for few at a time is answered soon.
 */
const MAX_READ = { least: 800, forEachAskedFor: 100, most: 50_000 };
/** More for each row that it answers with. Of twenty, some are for reading it, and its links. */
const MAX_READ_FOR_EACH = 12;
/** So many times fewer are read to find out whether few match the dates, and each of them twice. */
const FEWER_OF_DATES = 4;
/** Lists that are read on from at once, those that begin first: each of them by twenty rows at least. */
const MAX_LISTS = 'greatest(45, rom.plass / 20)::integer';
/**
 * A hovedenhet may have any number of establishments, and each is a list, of which the first is read. Those of up to so many
 * are gone through; beyond that avtaler are looked at in their order, and held against it. What is read of them grows with
 * the establishments, else a page of a few would end before it has any.
 */
const MAX_ESTABLISHMENTS = 6_000;
const READ_FOR_ESTABLISHMENT = 4;
/** Held against the unit, an avtale is twice as dear. */
const MAX_HELD_AGAINST_UNIT = 15_000;
/** A row of the history costs as much as these: the avtale, its version then, and the ones after that. */
const COST_OF_VERSION = 8;

function mostReadFor(size: number): number {
  return Math.min(MAX_READ.most, Math.max(MAX_READ.least, MAX_READ.forEachAskedFor * size));
}

/** What a walk needs besides the filter. */
export interface WalkPage {
  /** the avtaleId where the walk before ended, as SQL; may be null */
  after: string;
  /** rows that there is use for, as SQL */
  limit: string;
  /** the same */
  size: number;
}

/**
 * A walk through avtaler in the order of avtaleId, which looks at a bounded number of rows however few of them match, and
 * whatever plan the database makes: each part is an index, read in its order up to a limit (ADR 54).
 *
 * It is a table `rad` (id, naadd) in the order of the page: avtaler that match, and when it ended before it had enough or
 * came to the end, one row without `id` whose `naadd` tells up to which avtaleId all have been looked at.
 */
export function walkSql(
  filter: AvtaleFilter,
  phaseDay: string,
  page: WalkPage,
  params: Params,
): { head: string; rows: string } {
  const moment = filter.gjeldendePer === undefined ? undefined : params.add(filter.gjeldendePer, 'timestamptz');
  const range = moment === undefined ? dateRange(filter, phaseDay, params) : undefined;
  const source = sourceOf(conditionsOf(filter, phaseDay, params), moment);
  const most = params.add(mostReadFor(page.size), 'bigint');
  const way = wayThrough(filter, { source, phaseDay, most, moment }, params);
  const spent = `${range ? '2 * proevd.antall' : '0'} + ${way.spent}`;
  const mostOfDates = `${most} / ${String(FEWER_OF_DATES)}`;
  const few = `proevd.antall <= ${mostOfDates}`;
  const head = `with recursive ${[
    ...way.ctes,
    ...(range ? [probe(range, source, page.after, mostOfDates)] : []),
    `gang(nr, naadd, lest, funnet, ferdig) as (
      select 1, ${page.after}, (${spent})::bigint, ${range ? `case when ${few} then proevd.treff else '{}' end` : `'{}'::uuid[]`},
        ${range ? few : 'false'} ${range ? 'from proevd' : ''}
      union all
      select gang.nr + 1, coalesce(steg.til, gang.naadd), gang.lest + steg.lest, gang.funnet || steg.treff, steg.slutt
      from gang cross join lateral (
        select greatest(100, least(igjen, greatest(${page.limit}, gang.lest - ${way.before}))) / ${String(source.cost)} as plass
        from (select ${way.most} + ${String(MAX_READ_FOR_EACH)} * cardinality(gang.funnet) - gang.lest as igjen) rom
        where gang.nr = 1 or igjen >= 100 + ${way.lists} offset 0) rom
      cross join lateral (${way.step} offset 0) steg
      where not gang.ferdig and cardinality(gang.funnet) < ${page.limit})`,
    `siste as materialized (select * from gang order by nr desc limit 1)`,
  ].join(', ')}`;
  const rows = `siste cross join lateral (
      (select funnet.id, null::uuid as naadd from unnest(siste.funnet) as funnet(id) limit ${page.limit})
      union all
      select null, siste.naadd where not siste.ferdig and cardinality(siste.funnet) < ${page.limit}) rad`;
  return { head, rows };
}

/** Of a page that looks at avtaler of all establishments below a unit. */
function isOfGroup({ hovedenhet, bedriftsnumre }: AvtaleFilter): boolean {
  return hovedenhet !== undefined && !bedriftsnumre;
}

function sourceOf(conditions: readonly string[], moment: string | undefined): Source {
  const matches = `(${conditions.join(' and ') || 'true'})`;
  return {
    matches: moment === undefined ? `${matches} is true` : matchedThen(matches, moment),
    cost: moment === undefined ? 1 : COST_OF_VERSION,
    // Of another kind today than then, it is found by its own name.
    from: moment === undefined ? 'avtale_synlig' : 'public.avtale_synlig',
  };
}

/** What is read on, and from where: each of it as SQL. */
interface Way {
  ctes: string[];
  /** rows that may be read, without those that are answered with */
  most: string;
  /** rows that it took to find that out */
  spent: string;
  /** of these, those that say nothing of how much is read at once */
  before: string;
  /** lists that are read at once */
  lists: string;
  step: string;
}

interface WayOptions {
  source: Source;
  phaseDay: string;
  /** that may be read, as SQL */
  most: string;
  /** the same; undefined: now */
  moment: string | undefined;
}

function wayThrough(filter: AvtaleFilter, options: WayOptions, params: Params): Way {
  const { source, most } = options;
  const lists = listsOf(filter, params);
  const way = lists
    ? { ...lists, most, before: '0', lists: `(select count(*) from ${lists.name})`, step: listStep(source, lists) }
    : { ctes: [], most, spent: '0', before: '0', lists: '0', step: step(source) };
  return isOfGroup(filter) ? throughGroup(filter, way, options, params) : way;
}

/** Establishment by establishment when they are few, and else the other way, where each avtale is held against the unit. */
function throughGroup(filter: AvtaleFilter, other: Way, options: WayOptions, params: Params): Way {
  const { phaseDay, source, most, moment } = options;
  const [few, count] = ['(select er_faa from gruppe)', '(select antall from gruppe)'];
  const atMost = params.add(MAX_ESTABLISHMENTS, 'integer');
  const lists: Lists = {
    name: 'gruppeliste',
    ctes: [
      `enhet as materialized (select nr as noekkel from virksomheter_under(${params.add(filter.hovedenhet, 'text')}, ${atMost} + 1) as nr)`,
      `gruppe as materialized (select count(*) as antall, count(*) <= ${atMost} as er_faa from enhet)`,
      `gruppeliste as materialized (select noekkel from enhet where ${few})`,
    ],
    spent: count,
    arms: [employerArm(filter)],
  };
  // Then: whom it has been with says another time.
  const ofList =
    moment === undefined
      ? sourceOf(conditionsOf({ ...filter, hovedenhet: undefined }, phaseDay, params), undefined)
      : source;
  return {
    ctes: [...lists.ctes, ...other.ctes],
    most: `case when ${few} then least(greatest(${most}, ${String(2 * READ_FOR_ESTABLISHMENT)} * ${count}), ${String(READ_FOR_ESTABLISHMENT)} * ${atMost})
      else ${count} + ${String(MAX_HELD_AGAINST_UNIT)} end`,
    spent: `${count} + case when ${few} then 0 else ${other.spent} end`,
    before: `case when ${few} then 0 else ${count} end`,
    lists: `case when ${few} then ${count} else ${other.lists} end`,
    step: `select * from (${listStep(ofList, lists)}) av_gruppen where ${few}
      union all select * from (${other.step}) av_alle where not ${few}`,
  };
}

interface Source {
  /** of a row, never null */
  matches: string;
  /** of looking at one, in rows */
  cost: number;
  from: string;
}

const LOWEST = `'00000000-0000-0000-0000-000000000000'::uuid`;
const HIGHEST = `'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid`;
/** As a range of the index, also from the first one there may be. */
const ON_FROM_THERE = `avtale_id >= coalesce(gang.naadd, ${LOWEST}) and avtale_id is distinct from gang.naadd`;

/** Of an avtale: the version that was the last one known then. */
export function versionThen(avtaleId: string, moment: string, view = 'avtale_versjon_synlig'): string {
  return `select * from ${view} where avtale_id = ${avtaleId} and laert <= ${moment} order by lopenr desc limit 1`;
}

/** Its version is looked for by the qualified name, as `wasCurrentAt` looks for later ones. */
function matchedThen(matches: string, moment: string): string {
  return `coalesce((select ${matches} and not feilregistrert
    from (${versionThen('avtalen.avtale_id', moment, 'public.avtale_versjon_synlig')}) da), false)`;
}

/**
 * How many the dates leave, and when they are few, those of them that match. They are found by a function, which reads the
 * index up to that many: the database itself would rather find all of them first.
 */
function probe(range: string, { from, matches }: Source, after: string, most: string): string {
  return `proevd as materialized (
      select count(*) as antall,
        coalesce(array_agg(avtale_id order by avtale_id) filter (where treff and (avtale_id > ${after}) is not false), '{}') as treff
      from public.avtaler_i_datoer(${range}, (${most} + 1)::integer) as i_datoer(id)
      left join lateral (
        select avtale_id, ${matches} as treff from ${from} avtalen where avtale_id = i_datoer.id offset 0) rad on true)`;
}

/** The next of all avtaler. */
function step({ from, matches, cost }: Source): string {
  return `select count(*) * ${String(cost)} as lest, (array_agg(avtale_id order by avtale_id desc))[1] as til,
      coalesce(array_agg(avtale_id order by avtale_id) filter (where treff), '{}') as treff, count(*) < rom.plass as slutt
    from (
      select avtale_id, ${matches} as treff from ${from} avtalen where ${ON_FROM_THERE}
      order by avtale_id limit rom.plass) rad`;
}

/** Lists of avtaler, each in the order of avtaleId by an index, which have all that match between them. */
interface Lists {
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
function listStep({ matches, cost }: Source, { name, arms }: Lists): string {
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
function listsOf(filter: AvtaleFilter, params: Params): Lists | undefined {
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
function employerArm({ gjeldendePer }: AvtaleFilter): Lists['arms'][number] {
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
