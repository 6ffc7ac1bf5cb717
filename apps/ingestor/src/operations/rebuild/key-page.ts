/** A part of the keys in their order. */
export interface KeyPage {
  /** undefined: there were none */
  last: string | undefined;
  differing: string[];
}

export interface KeyRow {
  nokkel: string;
  avviker: boolean;
}

/** Before every key that is a UUID. */
export const LOWEST_UUID = '00000000-0000-0000-0000-000000000000';

export function keyPageOf(rows: readonly KeyRow[]): KeyPage {
  return {
    last: rows.at(-1)?.nokkel,
    differing: rows.filter(({ avviker }) => avviker).map(({ nokkel }) => nokkel),
  };
}
