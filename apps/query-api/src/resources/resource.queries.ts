import { columnName } from '@tiltak/database';
import { Params } from '../avtaler/avtaler.conditions.ts';
import { chosenStatement, keysOf, preparedStatement, type Query } from '../lookups/statement.ts';
import { fieldsOf, type ReadResource, type ResourceFilter, type ResourceRow } from './resource.ts';

/** What is asked for, by filter; everything given must hold. */
export type ResourceQuestion = Record<string, string | string[] | undefined>;

/** What one page may look at beyond those that it answers with: then it ends, and says how far it came. */
const MAX_LOOKED_AT = { least: 2_000, forEachAskedFor: 20 };

/** Of a search: one of them, or with a value in `naadd` and nothing else, the place to which all were looked at. */
export type ResourceSearchRow = ResourceRow & { naadd?: string | null };

export interface ResourceKeyset {
  /** the last key of the page before */
  after?: string | undefined;
  limit: number;
}

/** Those that there are, in the order of the given filters' definition. */
export function givenIn({ filters }: ReadResource, question: ResourceQuestion): string[] {
  return Object.keys(filters).filter((name) => question[name] !== undefined);
}

/**
 * In the order of the key. The first filter with an index finds the rows in that order, and the others are held against
 * them: of what no index orders, a page looks at a bounded number, and ends early with a row that tells so in its `naadd`.
 */
export function resourceSearch(
  read: ReadResource,
  question: ResourceQuestion,
  fields: readonly string[],
  { after, limit }: ResourceKeyset,
): Query<ResourceSearchRow> {
  const { key } = keyAndView(read);
  const params = new Params();
  const given = givenIn(read, question).map((name) => ({ name, filter: read.filters[name] as ResourceFilter }));
  const conditionOf = ({ name, filter }: (typeof given)[number]): string =>
    conditionSql(read, filter, question[name] as string | string[], params);
  const inOrder = given.find(({ filter }) => isInOrder(filter));
  const few = inOrder ? undefined : given.find(({ filter }) => filter.by === 'prefix');
  const below = inOrder && belowOf(read, inOrder.filter, () => params.add(question[inOrder.name], 'text'));
  const lead = [
    ...(inOrder && !below ? [conditionOf(inOrder)] : []),
    ...(after === undefined ? [] : [`${key} > ${params.add(after, 'text')}`]),
  ];
  const others = given.filter((one) => one !== inOrder && one !== few).map(conditionOf);
  const columns = [key, ...fields.map(columnName).filter((column) => column !== key)];
  const asked: Asked = { lead, few: few && conditionOf(few), below, others, columns };
  const isDirect = others.length === 0 && few === undefined && below === undefined;
  const text = isDirect ? directSql(read, asked, params.add(limit, 'bigint')) : lookingSql(read, asked, limit, params);
  return { statement: chosenStatement(text), values: params.values, keys: keysOf(params.types, Infinity) };
}

/** What a function of the database finds, as conditions on rows. */
interface Below {
  /** the keys, as SQL. @param atMost so many */
  keys: (atMost: string) => string;
  isIn: string;
  /** those that may be, but for one */
  among: string;
  /** that one */
  itself: string;
}

function belowOf(read: ReadResource, filter: ResourceFilter, add: () => string): Below | undefined {
  if (filter.by !== 'function') return undefined;
  const { key, view } = keyAndView(read);
  const value = add();
  const { column, equals } = filter.among(value);
  return {
    keys: (atMost) => `${filter.sql}(${value}, ${atMost})`,
    isIn: filter.isIn(`${view}.${key}`, value),
    among: `${column} = ${equals}`,
    itself: `${key} = ${value} and ${column} is distinct from ${equals}`,
  };
}

interface Asked {
  /** found by an index, in the order of the key */
  lead: string[];
  /** found by an index of another order, when it has few */
  few: string | undefined;
  /** found by a function */
  below: Below | undefined;
  others: string[];
  columns: string[];
}

function keyAndView({ resource }: ReadResource): { key: string; view: string } {
  return { key: columnName(resource.key), view: `${resource.table}_synlig` };
}

const isInOrder = ({ by }: ResourceFilter): boolean => by === 'keys' || by === 'index' || by === 'function';

function conditionSql(read: ReadResource, filter: ResourceFilter, value: string | string[], params: Params): string {
  const { key, view } = keyAndView(read);
  switch (filter.by) {
    case 'keys':
      return `${key} = any(${params.add(value, 'text[]')})`;
    case 'function':
      return filter.isIn(`${view}.${key}`, params.add(value, 'text'));
    case 'prefix': {
      // As the index of patterns has it, also in a plan that is for all values.
      const [from, to] = [params.add(value, 'text'), params.add(nextText(String(value)), 'text')];
      return `(${columnName(filter.field)} ~>=~ ${from} and ${columnName(filter.field)} ~<~ ${to})`;
    }
    default:
      return `${columnName(filter.field)} = ${params.add(value, 'text')}`;
  }
}

/** After all that begin so. */
function nextText(text: string): string {
  return text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
}

const whereOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;

function directSql(read: ReadResource, { lead, columns }: Asked, limit: string): string {
  const { key, view } = keyAndView(read);
  return `select ${columns.join(', ')} from ${view} ${whereOf(lead)} order by ${key} limit ${limit}`;
}

function lookingSql(read: ReadResource, asked: Asked, size: number, params: Params): string {
  const { key, view } = keyAndView(read);
  const { columns, few, below } = asked;
  const most = params.add(Math.max(MAX_LOOKED_AT.least, MAX_LOOKED_AT.forEachAskedFor * size), 'bigint');
  const limit = params.add(size, 'bigint');
  const looked = below ? lookedBelow(read, asked, below, most) : lookedAt(read, asked, most);
  const shown = columns.map((column) => `rad.${column}`).join(', ');
  const tried = below
    ? `proevd as materialized (select ${below.keys(`(${most} + 1)::integer`)} as noekkel),`
    : few && `proevd as materialized (select * from ${view} where ${few} limit ${most}),`;
  return `with ${tried ?? ''}
      sett as materialized (${looked}),
      treff as materialized (select ${key} from sett where treff order by ${key} limit ${limit})
    select ${shown}, null::text as naadd from treff cross join lateral (
      select * from ${view} synlig where synlig.${key} = treff.${key} offset 0) rad
    union all
    select ${columns.map(() => 'null').join(', ')}, max(${key}) from sett
    having count(*) >= ${most} and (select count(*) from treff) < ${limit}
    order by naadd nulls first, ${key}`;
}

/** Those of an index of another order are sorted when they are few, and else met soon enough in the order of the key. */
function lookedAt(read: ReadResource, { lead, few, others }: Asked, most: string): string {
  const { key } = keyAndView(read);
  const all = (more: string[]): string => lookedIn(read, [...lead, ...more], [...others, ...(few ? [few] : [])], most);
  if (few === undefined) return all([]);
  const isFew = `(select count(*) from proevd) < ${most}`;
  const matches = `(${[...others, few].join(' and ')}) is true`;
  return `(select ${key}, ${matches} as treff from proevd ${whereOf([...lead, isFew])} order by ${key})
         union all (${all([`not ${isFew}`])})`;
}

/** By their keys when they are few, and else those that may be, each of which is held against it. */
function lookedBelow(read: ReadResource, { lead, others }: Asked, below: Below, most: string): string {
  const { key } = keyAndView(read);
  const isFew = `(select count(*) from proevd) <= ${most}`;
  const byKey = `${key} = any(array(select noekkel from proevd where ${isFew}))`;
  const among = [below.among, below.itself].map(
    (which) => `(${lookedIn(read, [...lead, which, `not ${isFew}`], [...others, below.isIn], most)})`,
  );
  return `(${lookedIn(read, [...lead, byKey], others, most)})
         union all (select * from (${among.join(' union all ')}) mange order by ${key} limit ${most})`;
}

/** In the order of the key, so many at most, and which of them match. */
function lookedIn(read: ReadResource, which: string[], matches: string[], most: string): string {
  const { key, view } = keyAndView(read);
  return `select ${key}, (${matches.join(' and ') || 'true'}) is true as treff from ${view} ${whereOf(which)}
          order by ${key} limit ${most}`;
}

/** One, by its key. */
export function resourceByKey(read: ReadResource, fields: readonly string[], value: string): Query<ResourceRow> {
  const { key, view } = keyAndView(read);
  const columns = [key, ...fields.map(columnName).filter((column) => column !== key)];
  const text = `select ${columns.join(', ')} from ${view} where ${key} = $1::text`;
  const isWhole = fields.length === fieldsOf(read).length;
  return {
    statement: isWhole ? preparedStatement(text) : chosenStatement(text),
    values: [value],
    keys: keysOf(['text'], 1),
  };
}
