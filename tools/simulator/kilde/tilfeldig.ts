/** Something to draw, and how often it comes up relative to the others. */
export type Lodd<T> = readonly (readonly [vekt: number, verdi: T])[];

/** Numbers that look random and are the same for the same seed, on every machine (sfc32). */
export class Tilfeldig {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = Math.imul(seed, 0x9e3779b9) | 0;
    this.c = 0x2545f491;
    for (let i = 0; i < 12; i++) this.neste();
  }

  /** 0 ≤ x < 1 */
  neste(): number {
    const t = (this.a + this.b + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return (t >>> 0) / 4_294_967_296;
  }

  /** from ≤ n ≤ to, whole */
  tall(fra: number, til: number): number {
    return fra + Math.floor(this.neste() * (til - fra + 1));
  }

  sjanse(andel: number): boolean {
    return this.neste() < andel;
  }

  /** One of them. */
  velg<const A extends readonly [unknown, ...unknown[]]>(av: A): A[number] {
    return av[this.tall(0, av.length - 1)];
  }

  /** One of them, by weight; undefined only when there is nothing to draw. */
  trekk<T>(lodd: Lodd<T>): T | undefined {
    let igjen = this.neste() * lodd.reduce((sum, [vekt]) => sum + vekt, 0);
    return lodd.find(([vekt]) => (igjen -= vekt) < 0)?.[1];
  }

  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.tall(0, 0xffffffff).toString(16).padStart(8, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
