import type { Fold } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { ofPerson, type EncodedContent } from './avtaler.rows.ts';
import { readPersons, type RegisterIdent } from './persons.queries.ts';

/** Each content gets the participant that its ident belongs to now. `sharePersons` must hold. */
export async function joinPersons<F extends Fold<EncodedContent>>(db: PoolClient, folds: F[]): Promise<F[]> {
  const contents = folds.flatMap(({ content, versions }) => [content, ...versions.map((version) => version.content)]);
  const idents = new Set(contents.flatMap((content) => content?.deltakerId ?? []));
  const persons = await readPersons(db, [...idents]);
  if (persons.size === 0) return folds;
  return folds.map((fold) => ({
    ...fold,
    content: fold.content && ofPerson(fold.content, persons),
    versions: fold.versions.map((version) => ({ ...version, content: ofPerson(version.content, persons) })),
  }));
}

/**
 * Whose each ident is. Keys that have an ident in common are one person, which has the smallest of all its idents: the
 * same whatever order the register's messages came in.
 */
export function personsOf(register: readonly RegisterIdent[]): Map<string, string> {
  const parents = new Map<string, string>();
  const rootOf = (ident: string): string => {
    let root = ident;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent;
    return root;
  };
  const first = new Map<string, string>();
  for (const { key, ident } of register) {
    const [a, b] = [rootOf(first.get(key) ?? ident), rootOf(ident)];
    first.set(key, ident);
    // The smaller one is the root.
    if (a !== b) parents.set(a < b ? b : a, a < b ? a : b);
  }
  return new Map(register.map(({ ident }) => [ident, rootOf(ident)]));
}
