import type { ReadResource } from '../resources/resource.ts';
import { RESOURCES } from '../resources/resources.ts';

/** Of another resource than avtaler; without a row it has no topic, or that has not been seen yet. */
const ofResource = (name: string): string => `select oppdatert_til from ressurs_status where ressurs = '${name}'`;

const AVTALER = 'select oppdatert_til from konsum_status';

/**
 * The moment up to which everything of avtaler is included in what the same statement reads, ms since 1970; null until each
 * partition has once been read to its end. An ingestor stores it after the data that it promises, so whoever reads both in
 * one snapshot reads at least that data, at whatever replica. Never later than now: what a clock that was ahead has left
 * there is mended by the ingestor.
 */
export const MOMENT_SQL = oldestOf(AVTALER);

/** The same, of another resource. */
export function resourceMomentSql(name: string): string {
  return oldestOf(ofResource(name));
}

/** Which a statement reads is told by the tables, views and functions that it names: all begin with the name of the table. */
export function resourcesReadBy(text: string): ReadResource[] {
  return RESOURCES.filter(({ resource }) => new RegExp(`\\b${resource.table}`).test(text));
}

/**
 * Of all that a statement reads. One that reads avtaler too is as old as the oldest of them; but a resource without a topic
 * promises nothing, and holds nothing back.
 */
export function momentSqlFor(text: string): string {
  const names = resourcesReadBy(text).map(({ resource }) => resource.name);
  if (names.length === 0) return MOMENT_SQL;
  if (!READS_AVTALER.test(text)) return oldestOf(names.map(ofResource).join(' union all '));
  // Before anything is known of avtaler, nothing is promised.
  return `(select case when exists (${AVTALER}) then ${oldestOf([AVTALER, ...names.map(ofResource)].join(' union all '))} end)`;
}

/** Their tables, views and feed. */
const READS_AVTALER = /\b(avtale|endring\b|relasjon)/;

function oldestOf(moments: string): string {
  return `(select case when bool_and(oppdatert_til is not null)
  then floor(extract(epoch from least(min(oppdatert_til), now())) * 1000)::bigint end from (${moments}) lest)`;
}
