/**
 * The phase of the row on a day, for a statement on `avtale_synlig` or `avtale_versjon_synlig`: the rule of
 * `libs/avtale/src/phase.ts`, which Postgres works out itself so that it can be searched by.
 */
export function phaseSql(day: string): string {
  return `fase(${day}, start_dato, slutt_dato, avtale_inngaatt is not null, har_vaert_inngaatt, annullert, annullert_dag,
    annullert_underveis, fra_arena)`;
}

/** The day in Oslo of a moment. */
export function osloDaySql(moment: string): string {
  return `(${moment} at time zone 'Europe/Oslo')::date`;
}

/** Also while the process runs past midnight. */
export const TODAY = osloDaySql('now()');
