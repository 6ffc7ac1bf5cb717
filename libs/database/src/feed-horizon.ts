/** Of avtaler, and of what subscriptions are told: cut together. */
const TOGETHER = ['endring', 'avtale_endring'];

/**
 * Where it stands how far back a change feed reaches: `beskaaret_til` and `beskaaret_tidspunkt` of the one row of this, for a
 * `from`. Each resource's is cut by itself (ADR 78).
 *
 * @param feed its table; a name in code, and never from outside
 */
export function feedHorizon(feed: string): string {
  if (TOGETHER.includes(feed)) return 'instans';
  // A feed that is not partitioned is never cut.
  return `(select coalesce(max(beskaaret_til), '0') as beskaaret_til, max(beskaaret_tidspunkt) as beskaaret_tidspunkt
    from partisjonering where tabell = '${feed}') horisont`;
}
