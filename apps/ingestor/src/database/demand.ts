/** Of a transaction that could not be stored as it was prepared: others have changed what it was read against. */
export const NOT_AS_EXPECTED = 'TD001';

/**
 * A statement that fails when the condition is not true, so that a transaction can be sent with what it expects, and its
 * commit, without its answers being looked at. Its SQLSTATE, `NOT_AS_EXPECTED`, is nobody else's.
 *
 * @param what it is about, for people
 * @param from what follows the condition, when it is about rows
 */
export function demand(condition: string, what: string, from = ''): string {
  return `select krev_som_ventet(${condition}, '${what}') ${from}`;
}
