import { syntetiskFnr, syntetiskOrgnr } from '@tiltak/testing';
import type { Innslag } from '../adapter/api.ts';

const TILTAKSTYPER = ['ARBEIDSTRENING', 'MENTOR', 'MIDLERTIDIG_LONNSTILSKUDD'];
const PERSONER_PER_AVTALE = 0.4;
const DAG_MS = 86_400_000;

/**
 * What an organisation holds, and what must therefore be served. Each version of an avtale has a number of its own, so
 * that one that is a version too old is seen. The same seed gives the same data.
 */
export class Adapterdata {
  /** avtaleId → the version that must be served */
  private readonly versjoner = new Map<string, number>();
  /** gone here without a word: served until a full sync without them is completed */
  private readonly glemte = new Set<string>();
  private versjon = 0;
  private laget = 0;
  private readonly froe: number;
  private readonly personer: number;

  constructor(froe: number, antall: number) {
    this.froe = froe;
    this.personer = Math.max(2, Math.ceil(antall * PERSONER_PER_AVTALE));
  }

  /** avtaleId → avtaleNr */
  get forventet(): Record<string, number> {
    return Object.fromEntries(this.versjoner);
  }

  nye(antall: number): Innslag[] {
    return Array.from({ length: antall }, () => this.nyVersjon(this.lagId()));
  }

  endre(ider: readonly string[]): Innslag[] {
    return ider.map((id) => this.nyVersjon(id));
  }

  slett(ider: readonly string[]): Innslag[] {
    for (const id of ider) this.versjoner.delete(id);
    return ider.map((id) => ({ id }));
  }

  glem(ider: readonly string[]): void {
    for (const id of ider) this.glemte.add(id);
  }

  /** What a full sync that begins now holds, and what is gone when it is completed. */
  alt(): { innslag: Innslag[]; fullfoert: () => void } {
    const glemte = [...this.glemte];
    return {
      innslag: this.ider().map((id) => this.innslag(id)),
      fullfoert: () => {
        for (const id of glemte) {
          this.glemte.delete(id);
          this.versjoner.delete(id);
        }
      },
    };
  }

  /** About `promille` of what the organisation holds; with the same number, the same ones. */
  utvalg(promille: number, froe: number): string[] {
    return this.ider().filter((id) => blandet(Number.parseInt(id.slice(-8), 16), froe) % 1_000 < promille);
  }

  private ider(): string[] {
    return [...this.versjoner.keys()].filter((id) => !this.glemte.has(id));
  }

  private lagId(): string {
    const nummer = (this.laget++).toString(16).padStart(8, '0');
    return `${blandet(this.laget, this.froe).toString(16).padStart(8, '0')}-0000-4000-8000-0000${nummer}`;
  }

  private nyVersjon(id: string): Innslag {
    this.versjoner.set(id, this.versjon++);
    return this.innslag(id);
  }

  /** The dates and parties follow from the version: relations come and go as avtaler change. */
  private innslag(id: string): Innslag {
    const versjon = this.versjoner.get(id) ?? 0;
    const tall = blandet(versjon, this.froe);
    const start = Date.UTC(2025, 0, 1) + (tall % 700) * DAG_MS;
    const dato = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    return {
      id,
      ressurs: {
        avtaleId: id,
        avtaleNr: versjon,
        // Later for each version, also when two are made in the same millisecond.
        sistEndret: new Date(Date.UTC(2026, 0, 1) + versjon).toISOString(),
        deltakerFnr: syntetiskFnr(blandet(Number.parseInt(id.slice(-8), 16), this.froe) % this.personer),
        bedriftNr: syntetiskOrgnr(tall % 3),
        tiltakstype: TILTAKSTYPER[tall % TILTAKSTYPER.length],
        avtaleStatus: tall % 13 === 0 ? 'ANNULLERT' : 'GJENNOMFØRES',
        startDato: dato(start),
        sluttDato: tall % 5 === 0 ? null : dato(start + (tall % 300) * DAG_MS),
      },
    };
  }
}

/** A 32-bit number that looks random. */
export function blandet(tall: number, froe: number): number {
  let x = (tall ^ Math.imul(froe, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
