/** Which persons and companies have been given away: no scenario gets those of another. */
export class Numbers {
  private used = 0;

  next(): number {
    return ++this.used;
  }

  reset(): void {
    this.used = 0;
  }
}
