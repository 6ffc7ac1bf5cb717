/**
 * The moment up to which everything is included in what the same statement reads, ms since 1970; null until each
 * partition has once been read to its end. An ingestor stores it after the data that it promises, so whoever reads both in
 * one snapshot reads at least that data, at whatever replica. Never later than now: what a clock that was ahead has left
 * there is mended by the ingestor.
 */
export const MOMENT_SQL = `(select case when bool_and(oppdatert_til is not null)
  then floor(extract(epoch from least(min(oppdatert_til), now())) * 1000)::bigint end from konsum_status)`;
