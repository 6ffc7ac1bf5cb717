/**
 * Of a row of `avtale_synlig` or `avtale_versjon_synlig`: it is of one of these persons, by whatever ident of theirs they
 * are asked for (ADR 27).
 *
 * @param param of the statement, such as `$1::uuid[]`: `Persons` for national idents, or a list of opaque ids
 */
export function personCondition(param: string): string {
  return `deltaker_id = any(array(select ident from ${personsAsked(param)}))`;
}

/**
 * As a table (nr, ident): every ident of each person, as the opaque id that its avtaler bear, with the place in the list,
 * from 1, of the one who was asked for. Joined on `deltaker_id = ident`, it tells whose each row is.
 */
export function personsAsked(param: string): string {
  return `personens_identer(${param}) as spurt(nr, ident)`;
}
