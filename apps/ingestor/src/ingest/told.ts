/** What the last line of the change feed says of somebody. */
export type ToldType = 'ENDRET' | 'SLETTET';

/**
 * What the feed lacks so that who follows it has what is stored. Of what it never told of nothing is told when it is gone.
 *
 * @param there of the keys, those that consumers may see
 */
export function untold(
  keys: readonly string[],
  told: ReadonlyMap<string, ToldType>,
  there: ReadonlySet<string>,
): { key: string; type: ToldType }[] {
  return keys.flatMap((key): { key: string; type: ToldType }[] => {
    const isThere = there.has(key);
    if (isThere === (told.get(key) === 'ENDRET') || (!isThere && !told.has(key))) return [];
    return [{ key, type: isThere ? 'ENDRET' : 'SLETTET' }];
  });
}
