import { sameRelationAvtale, type Change, type Fold, type Outcome } from '@tiltak/avtale';
import type { Deletion, Remembered, StoredAvtale } from './avtaler.queries.ts';
import { avtaleRow, changeRow, versionRow, type EncodedContent } from './avtaler.rows.ts';

/**
 * What folded messages come to, in the form in which it is written: rows as text, and what must be done beside. Nothing of
 * the messages themselves is held on to.
 */
export class Effects {
  /** rows of avtaler that are not stored yet, and of those that are */
  readonly fresh: string[] = [];
  readonly changed: string[] = [];
  readonly remembered: Remembered[] = [];
  /** the avtaler whose stored history goes, before `versions` come */
  readonly erased: string[] = [];
  readonly versions: string[] = [];
  readonly changes: string[] = [];
  /** what the feed says last of each avtale that these tell of */
  readonly told = new Map<string, Change['type']>();
  /** the participants of the avtaler in which something changed that a rule can see */
  readonly deltakere = new Set<string>();
  readonly deletions: Deletion[] = [];
  /** the avtaler whose ident is another than the one before, if there was one, or may be: a person can have several */
  readonly corrected: string[] = [];
  readonly counts = new Counts();

  static of(folds: readonly Fold<EncodedContent>[], known: ReadonlyMap<string, StoredAvtale>): Effects {
    const effects = new Effects();
    for (const fold of folds) effects.add(fold, known.get(fold.avtaleId));
    return effects;
  }

  add(fold: Fold<EncodedContent>, stored: StoredAvtale | undefined): void {
    const { avtaleId, state, remembered, content, versions, changes, erasedAt } = fold;
    if (state) (stored ? this.changed : this.fresh).push(avtaleRow(avtaleId, state, content, stored));
    else if (stored && remembered) this.remembered.push({ avtaleId, stored, now: remembered });
    // Also where no row is: somebody may have taken it away, and not what it was.
    if (fold.eraseHistory) this.erased.push(avtaleId);
    let before = fold.eraseHistory ? undefined : stored?.keys;
    for (const version of versions) {
      this.versions.push(versionRow(version, before));
      before = version.content;
    }
    for (const change of changes) {
      this.changes.push(changeRow(change));
      this.told.set(change.avtaleId, change.type);
    }
    for (const position of erasedAt) this.deletions.push({ avtaleId, position });
    if (hasCorrectedIdent(fold, stored)) this.corrected.push(avtaleId);
    const now = content?.member;
    if (state && !sameRelationAvtale(stored?.member, now)) {
      for (const avtale of [stored?.member, now]) if (avtale) this.deltakere.add(avtale.deltakerId);
    }
    this.counts.add(fold);
  }
}

/** For the metrics. */
export class Counts {
  /** messages by what became of them */
  readonly outcomes: Record<Outcome, number> = { TATT_INN: 0, UENDRET: 0, FORELDET: 0, SLETTET: 0 };
  /** versions by the coded fields whose value this release does not know */
  readonly unknown = new Map<string, number>();

  static of(folds: readonly Fold<EncodedContent>[]): Counts {
    const counts = new Counts();
    for (const fold of folds) counts.add(fold);
    return counts;
  }

  add({ outcomes, versions }: Fold<EncodedContent>): void {
    this.outcomes.TATT_INN += outcomes.TATT_INN;
    this.outcomes.UENDRET += outcomes.UENDRET;
    this.outcomes.FORELDET += outcomes.FORELDET;
    this.outcomes.SLETTET += outcomes.SLETTET;
    for (const { content } of versions) {
      for (const field of content.unknown) this.unknown.set(field, (this.unknown.get(field) ?? 0) + 1);
    }
  }
}

function hasCorrectedIdent({ versions }: Fold<EncodedContent>, stored: StoredAvtale | undefined): boolean {
  let ident: string | undefined;
  for (const { content } of versions) {
    if (content.hasSeveralIdents) return true;
    if (content.deltakerId === null) continue;
    ident ??= content.deltakerId;
    if (content.deltakerId !== ident) return true;
  }
  return stored !== undefined && ident !== undefined && ident !== stored.deltakerId;
}
