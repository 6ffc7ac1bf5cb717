import { syntheticFnr, syntheticOrgnr } from '@tiltak/testing';
import type { Entry } from '../reference-adapter/api.ts';

const TILTAKSTYPER = ['ARBEIDSTRENING', 'MENTOR', 'MIDLERTIDIG_LONNSTILSKUDD'];
const PERSONER_PER_AVTALE = 0.4;
const DAY_MS = 86_400_000;

/**
 * What an organisation holds, and what must therefore be served. Each version of an avtale has a number of its own, so
 * that one that is a version too old is seen. The same seed gives the same data.
 */
export class AdapterData {
  /** avtaleId → the version that must be served */
  private readonly versions = new Map<string, number>();
  /** gone here without a word: served until a full sync without them is completed */
  private readonly forgotten = new Set<string>();
  private version = 0;
  private made = 0;
  private readonly seed: number;
  private readonly personer: number;

  constructor(seed: number, count: number) {
    this.seed = seed;
    this.personer = Math.max(2, Math.ceil(count * PERSONER_PER_AVTALE));
  }

  /** avtaleId → avtaleNr */
  get expected(): Record<string, number> {
    return Object.fromEntries(this.versions);
  }

  fresh(count: number): Entry[] {
    return Array.from({ length: count }, () => this.newVersion(this.createId()));
  }

  change(ids: readonly string[]): Entry[] {
    return ids.map((id) => this.newVersion(id));
  }

  delete(ids: readonly string[]): Entry[] {
    for (const id of ids) this.versions.delete(id);
    return ids.map((id) => ({ id }));
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.forgotten.add(id);
  }

  /** What a full sync that begins now holds, and what is gone when it is completed. */
  all(): { entry: Entry[]; completed: () => void } {
    const forgotten = [...this.forgotten];
    return {
      entry: this.ids().map((id) => this.entry(id)),
      completed: () => {
        for (const id of forgotten) {
          this.forgotten.delete(id);
          this.versions.delete(id);
        }
      },
    };
  }

  /** About `perMille` of what the organisation holds; with the same number, the same ones. */
  selection(perMille: number, seed: number): string[] {
    return this.ids().filter((id) => shuffled(Number.parseInt(id.slice(-8), 16), seed) % 1_000 < perMille);
  }

  private ids(): string[] {
    return [...this.versions.keys()].filter((id) => !this.forgotten.has(id));
  }

  private createId(): string {
    const nr = (this.made++).toString(16).padStart(8, '0');
    return `${shuffled(this.made, this.seed).toString(16).padStart(8, '0')}-0000-4000-8000-0000${nr}`;
  }

  private newVersion(id: string): Entry {
    this.versions.set(id, this.version++);
    return this.entry(id);
  }

  /** The dates and parties follow from the version: relations come and go as avtaler change. */
  private entry(id: string): Entry {
    const version = this.versions.get(id) ?? 0;
    const number = shuffled(version, this.seed);
    const start = Date.UTC(2025, 0, 1) + (number % 700) * DAY_MS;
    const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    return {
      id,
      ressurs: {
        avtaleId: id,
        avtaleNr: version,
        // Later for each version, also when two are made in the same millisecond.
        sistEndret: new Date(Date.UTC(2026, 0, 1) + version).toISOString(),
        deltakerFnr: syntheticFnr(shuffled(Number.parseInt(id.slice(-8), 16), this.seed) % this.personer),
        bedriftNr: syntheticOrgnr(number % 3),
        tiltakstype: TILTAKSTYPER[number % TILTAKSTYPER.length],
        avtaleStatus: number % 13 === 0 ? 'ANNULLERT' : 'GJENNOMFØRES',
        startDato: date(start),
        sluttDato: number % 5 === 0 ? null : date(start + (number % 300) * DAY_MS),
      },
    };
  }
}

/** A 32-bit number that looks random. */
export function shuffled(number: number, seed: number): number {
  let x = (number ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
