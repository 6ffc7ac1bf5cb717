import type { Schemas } from './client.ts';

/** What a copy has of an avtale at least. */
export interface CopiedAvtale {
  avtaleId: string;
}

/** An avtale of a copy of some fields, for instance `AvtalePart<'startDato' | 'sluttDato'>`. */
export type AvtalePart<Field extends Schemas['Avtalefelt']> = Pick<Schemas['Avtale'], Field | 'avtaleId'>;

/** What a page of the change feed comes to, for who keeps a copy. */
export interface CopyChange<Avtale extends CopiedAvtale = Schemas['Avtale']> {
  /** to be stored instead of what the copy has of them */
  avtaler: Avtale[];
  /** the ids of those to forget */
  gone: string[];
  /** where the copy must be; it is another's otherwise. As `readPosition` gives it */
  after: string;
  /** where it is with this: a position, and what the copy is of when that is not everything. To be kept as it is */
  position: string;
}

/**
 * Where a copy lies. The position is stored together with what it is the position of: so nothing is lost or half done,
 * whoever is killed.
 */
export interface Store<Avtale extends CopiedAvtale = Schemas['Avtale']> {
  /** undefined before there is a whole copy */
  readPosition: () => Promise<string | undefined>;
  /**
   * All of it in one: who reads the copy meanwhile sees the one before. What `avtaler` throws leaves that one as it is.
   *
   * @param instead the position that the copy must still be at, undefined when there is none
   * @returns false, and nothing is changed, when the copy is at another: somebody else has replaced it
   */
  replaceAll: (avtaler: AsyncIterable<Avtale[]>, position: string, instead: string | undefined) => Promise<boolean>;
  /** All of it in one. @returns false, and nothing is changed, when the copy is not at `after` */
  apply: (change: CopyChange<Avtale>) => Promise<boolean>;
}

/** A copy in memory, read anew by each process. */
export class MemoryStore<Avtale extends CopiedAvtale = Schemas['Avtale']> implements Store<Avtale> {
  avtaler: ReadonlyMap<string, Avtale> = new Map();
  private position: string | undefined;

  readPosition(): Promise<string | undefined> {
    return Promise.resolve(this.position);
  }

  async replaceAll(avtaler: AsyncIterable<Avtale[]>, position: string, instead: string | undefined): Promise<boolean> {
    const all = new Map<string, Avtale>();
    for await (const batch of avtaler) for (const avtale of batch) all.set(avtale.avtaleId, avtale);
    if (this.position !== instead) return false;
    this.avtaler = all;
    this.position = position;
    return true;
  }

  apply({ avtaler, gone, after, position }: CopyChange<Avtale>): Promise<boolean> {
    if (this.position !== after) return Promise.resolve(false);
    const all = this.avtaler as Map<string, Avtale>;
    for (const avtaleId of gone) all.delete(avtaleId);
    for (const avtale of avtaler) all.set(avtale.avtaleId, avtale);
    this.position = position;
    return Promise.resolve(true);
  }
}
