/** The tables of the feed of avtaler, and of what subscriptions are told: cut together. */
export const AVTALER_FEED_TABLES = ['endring', 'avtale_endring'];

/** The row where it stands how far back a change feed reaches. Each resource's is cut by itself (ADR 78). */
export function horizonRow(feed: string): { table: string; where: string } {
  return AVTALER_FEED_TABLES.includes(feed)
    ? { table: 'instans', where: 'true' }
    : { table: 'partisjonering', where: `tabell = '${feed}'` };
}

/**
 * `beskaaret_til` and `beskaaret_tidspunkt` of a change feed, the one row of this, for a `from`.
 *
 * @param feed its table; a name in code, and never from outside
 */
export function feedHorizon(feed: string): string {
  const { table, where } = horizonRow(feed);
  if (table === 'instans') return table;
  // A feed that is not partitioned is never cut.
  return `(select coalesce(max(beskaaret_til), '0') as beskaaret_til, max(beskaaret_tidspunkt) as beskaaret_tidspunkt
    from ${table} where ${where}) horisont`;
}
