import type { Prosess } from '@tiltak/testing';

type Stopp = () => Promise<unknown> | unknown;

/** What is started is stopped in reverse. */
export class Stabel {
  private readonly startet: { navn: string; stopp: Stopp }[] = [];
  private stenger = false;

  husk<T>(navn: string, ting: T, stopp: Stopp): T {
    this.startet.push({ navn, stopp });
    return ting;
  }

  /** A process that ends by itself is told of; the rest goes on. */
  vokt(navn: string, prosess: Prosess, loggfil: string): void {
    void prosess.ferdig.then(() => {
      const utfall = String(prosess.utfall());
      if (!this.stenger) console.error(`${navn} has ended (${utfall}); its last words are in ${loggfil}`);
    });
  }

  /** Stops everything, also when something does not stop in order. */
  async stopp(): Promise<void> {
    this.stenger = true;
    for (const { navn, stopp } of this.startet.splice(0).reverse()) {
      try {
        await stopp();
      } catch (feil) {
        console.error(`${navn} did not stop in order: ${feil instanceof Error ? feil.message : String(feil)}`);
      }
    }
  }
}
