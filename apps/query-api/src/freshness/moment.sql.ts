import type { ReadResource } from '../resources/resource.ts';
import { RESOURCES } from '../resources/resources.ts';

const AVTALER = 'select oppdatert_til from konsum_status';

/** Of another resource than avtaler; without a row it has no topic, or that has not been seen yet. */
function ofResource({ resource }: ReadResource): string {
  return `select oppdatert_til from ressurs_status where ressurs = '${resource.name}'`;
}

/**
 * The moment up to which everything of avtaler is included in what the same statement reads, ms since 1970; null until each
 * partition has once been read to its end. An ingestor stores it after the data that it promises, so whoever reads both in
 * one snapshot reads at least that data, at whatever replica. Never later than now: what a clock that was ahead has left
 * there is mended by the ingestor.
 */
export const MOMENT_SQL = oldestOf(AVTALER);

/** The same, of another resource. */
export function resourceMomentSql(read: ReadResource): string {
  return oldestOf(ofResource(read));
}

/**
 * Of all that a statement reads: as old as the oldest. A resource that avtaler are only shown with holds nothing back
 * before its first load is done: else turning it on would take avtaler away. What they are searched by is needed.
 */
export function momentSqlFor(text: string): string {
  const resources = resourcesReadBy(text);
  if (resources.length === 0) return MOMENT_SQL;
  const needed = resourcesNeededBy(text);
  const moments = resources.map((read) =>
    needed.includes(read) ? all(ofResource(read)) : whenLoaded(ofResource(read)),
  );
  return oldestOf([...(READS_AVTALER.test(text) ? [all(AVTALER)] : []), ...moments].join(' union all '));
}

/** Those without which nothing can be answered by the statement. */
export function resourcesNeededBy(text: string): ReadResource[] {
  const resources = resourcesReadBy(text);
  if (!READS_AVTALER.test(text)) return resources;
  return resources.filter(({ filters }) =>
    Object.values(filters).some((filter) => filter.by === 'function' && text.includes(filter.sql)),
  );
}

/** Which a statement reads is told by the tables, views and functions that it names: all begin with the name of the table. */
function resourcesReadBy(text: string): ReadResource[] {
  return RESOURCES.filter(({ resource }) => new RegExp(`\\b${resource.table}`).test(text));
}

/** Their tables, views and feed. */
const READS_AVTALER = /\b(avtale|endring\b|relasjon)/;

/** With one that promises nothing where there is none. */
function all(moments: string): string {
  return `${moments} union all select null where not exists (${moments})`;
}

function whenLoaded(moments: string): string {
  return `${moments} and not exists (${moments} and oppdatert_til is null)`;
}

function oldestOf(moments: string): string {
  return `(select case when bool_and(oppdatert_til is not null)
  then floor(extract(epoch from least(min(oppdatert_til), now())) * 1000)::bigint end from (${moments}) lest)`;
}
