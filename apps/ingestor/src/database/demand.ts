/**
 * A statement that fails when the condition is not true, so that a transaction can be sent with what it expects, and its
 * commit, without its answers being looked at. Its SQLSTATE, TD001, is nobody else's.
 *
 * @param what it is about, for people
 * @param from what follows the condition, when it is about rows
 */
export function demand(condition: string, what: string, from = ''): string {
  return `select krev_som_ventet(${condition}, '${what}') ${from}`;
}
