import type { Tilfeldig } from './tilfeldig.ts';

/** A moment in the source: nanoseconds, as Java has them live. */
export interface Oyeblikk {
  /** whole seconds since 1970 */
  sekunder: number;
  /** 0–999,999,999 */
  nano: number;
}

const vegg = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'medium' });

/** `Instant`, UTC: nine digits live, six on a resend from the database, which rounds half up. */
export function instant({ sekunder, nano }: Oyeblikk, fraDatabasen = false): string {
  const mikro = Math.floor((nano + 500) / 1_000);
  const [s, broek] = fraDatabasen
    ? [sekunder + Math.floor(mikro / 1_000_000), String(mikro % 1_000_000).padStart(6, '0')]
    : [sekunder, String(nano).padStart(9, '0')];
  return `${new Date(s * 1_000).toISOString().slice(0, 19)}.${broek}Z`;
}

/** `LocalDateTime`: Oslo's wall clock, without offset, trailing zeros of the fraction left out. */
export function oslotid({ sekunder, nano }: Oyeblikk): string {
  const broek = String(nano).padStart(9, '0').replace(/0+$/, '');
  return vegg.format(sekunder * 1_000).replace(' ', 'T') + (broek ? `.${broek}` : '');
}

/** Oslo's date. */
export function dato(sekunder: number): string {
  return vegg.format(sekunder * 1_000).slice(0, 10);
}

export const DOEGN = 86_400;

/** As many digits as it happens: none to nine. */
export function nano(tilfeldig: Tilfeldig): number {
  const siffer = tilfeldig.sjanse(0.7) ? 9 : tilfeldig.tall(0, 8);
  return tilfeldig.tall(0, 10 ** siffer - 1) * 10 ** (9 - siffer);
}
