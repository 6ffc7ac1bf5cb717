/** Something to draw, and how often it comes up relative to the others. */
export type Lot<T> = readonly (readonly [weight: number, value: T])[];

/** Numbers that look random and are the same for the same seed, on every machine (sfc32). */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = Math.imul(seed, 0x9e3779b9) | 0;
    this.c = 0x2545f491;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 0 ≤ x < 1 */
  next(): number {
    const t = (this.a + this.b + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return (t >>> 0) / 4_294_967_296;
  }

  /** from ≤ n ≤ to, whole */
  number(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of them. */
  pick<const A extends readonly [unknown, ...unknown[]]>(of: A): A[number] {
    return of[this.number(0, of.length - 1)];
  }

  /** One of them, by weight; undefined only when there is nothing to draw. */
  draw<T>(lot: Lot<T>): T | undefined {
    let left = this.next() * lot.reduce((sum, [weight]) => sum + weight, 0);
    return lot.find(([weight]) => (left -= weight) < 0)?.[1];
  }

  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.number(0, 0xffffffff).toString(16).padStart(8, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
