/** Of avtaler, and of what subscriptions are told: cut together. */
const TOGETHER = ['endring', 'avtale_endring'];

/**
 * Where it stands how far back a change feed reaches: `beskaaret_til` and `beskaaret_tidspunkt` of the one row of this, for a
 * `from`. Each resource's is cut by itself (ADR 78).
 *
 * @param feed its table; a name in code, and never from outside
 */
export function feedHorizon(feed: string): string {
  return TOGETHER.includes(feed) ? 'instans' : `(select * from partisjonering where tabell = '${feed}') horisont`;
}
