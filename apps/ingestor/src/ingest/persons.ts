import type { Fold } from '@tiltak/avtale';
import type { Db } from '../database/db.ts';
import { ofPerson, type EncodedContent } from './avtaler.rows.ts';
import { readPersons, type RegisterIdent } from './persons.queries.ts';

/** Each content gets the participant that its ident belongs to now. `sharePersons` must hold. */
export async function joinPersons<F extends Fold<EncodedContent>>(db: Db, folds: F[]): Promise<F[]> {
  const persons = await readPersons(db, identsIn(folds));
  return persons.size === 0 ? folds : folds.map((fold) => ofPersons(fold, persons));
}

/** The idents that their contents bear, as opaque ids. */
export function identsIn(folds: readonly Fold<EncodedContent>[]): string[] {
  const contents = folds.flatMap(({ content, versions }) => [content, ...versions.map((version) => version.content)]);
  return [...new Set(contents.flatMap((content) => content?.deltakerId ?? []))];
}

/** @param persons whose each ident is, but for those that are their own */
export function ofPersons<F extends Fold<EncodedContent>>(fold: F, persons: ReadonlyMap<string, string>): F {
  return {
    ...fold,
    content: fold.content && ofPerson(fold.content, persons),
    versions: fold.versions.map((version) => ({ ...version, content: ofPerson(version.content, persons) })),
  };
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
