type Stopp = () => Promise<unknown> | unknown;

/** What is started is stopped in reverse. */
export class Stabel {
  private readonly startet: { navn: string; stopp: Stopp }[] = [];

  husk<T>(navn: string, ting: T, stopp: Stopp): T {
    this.startet.push({ navn, stopp });
    return ting;
  }

  /** Stops everything, also when something does not stop in order. */
  async stopp(): Promise<void> {
    for (const { navn, stopp } of this.startet.splice(0).reverse()) {
      try {
        await stopp();
      } catch (feil) {
        console.error(`${navn} did not stop in order: ${feil instanceof Error ? feil.message : String(feil)}`);
      }
    }
  }
}
