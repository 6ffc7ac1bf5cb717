import { conditionsOf, dateRange, type Params } from './avtaler.conditions.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';
import { employerArm, listsOf, listStep, ON_FROM_THERE, type Lists } from './walk-lists.sql.ts';

/**
 * What one page may look at, without those that it answers with: then it ends, and says how far it came. Pages of the usual
 * size end early among more than some ten thousand avtaler only; who asks for few at a time is answered soon.
 */
const MAX_READ = { least: 800, forEachAskedFor: 100, most: 50_000 };
/** More for each row that it answers with. Of twenty, some are for reading it, and its links. */
const MAX_READ_FOR_EACH = 12;
/** So many times fewer are read to find out whether few match the dates, and each of them twice. */
const FEWER_OF_DATES = 4;
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
