import type { Schemas } from './client.ts';

/** What a page of the change feed comes to, for who keeps a copy. */
export interface CopyChange {
  /** to be stored instead of what the copy has of them */
  avtaler: Schemas['Avtale'][];
  /** the ids of those to forget */
  gone: string[];
  /** the position that the copy must be at; it is another's otherwise */
  after: string;
  /** the position that it is at with this */
  position: string;
}

/**
 * Where a copy lies. The position is stored together with what it is the position of: so nothing is lost or half done,
 * whoever is killed.
 */
export interface Store {
  /** undefined before there is a whole copy */
  readPosition: () => Promise<string | undefined>;
  /**
   * All of it in one: who reads the copy meanwhile sees the one before. What `avtaler` throws leaves that one as it is.
   *
   * @param instead the position that the copy must still be at, undefined when there is none
   * @returns false, and nothing is changed, when the copy is at another: somebody else has replaced it
   */
  replaceAll: (
    avtaler: AsyncIterable<Schemas['Avtale'][]>,
    position: string,
    instead: string | undefined,
  ) => Promise<boolean>;
  /** All of it in one. @returns false, and nothing is changed, when the copy is not at `after` */
  apply: (change: CopyChange) => Promise<boolean>;
}

/** A copy in memory, read anew by each process. */
export class MemoryStore implements Store {
  avtaler: ReadonlyMap<string, Schemas['Avtale']> = new Map();
  private position: string | undefined;

  readPosition(): Promise<string | undefined> {
    return Promise.resolve(this.position);
  }

  async replaceAll(
    avtaler: AsyncIterable<Schemas['Avtale'][]>,
    position: string,
    instead: string | undefined,
  ): Promise<boolean> {
    const all = new Map<string, Schemas['Avtale']>();
    for await (const batch of avtaler) for (const avtale of batch) all.set(avtale.avtaleId, avtale);
    if (this.position !== instead) return false;
    this.avtaler = all;
    this.position = position;
    return true;
  }

  apply({ avtaler, gone, after, position }: CopyChange): Promise<boolean> {
    if (this.position !== after) return Promise.resolve(false);
    const all = this.avtaler as Map<string, Schemas['Avtale']>;
    for (const avtaleId of gone) all.delete(avtaleId);
    for (const avtale of avtaler) all.set(avtale.avtaleId, avtale);
    this.position = position;
    return Promise.resolve(true);
  }
}
