import type { Instant } from './avtale.ts';

const TIDSPUNKT =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/;
const DATO = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME_MS = 3_600_000;

/** A calendar date that exists, unchanged; undefined when it doesn't. */
export function lesDato(tekst: string): string | undefined {
  const [, aar, maaned, dag] = DATO.exec(tekst) ?? [];
  return aar && maaned && dag && datoFinnes(Number(aar), Number(maaned), Number(dag)) ? tekst : undefined;
}

/** A time with offset (the source's `Instant`), rounded half up to whole microseconds; undefined when unreadable. */
export function lesInstant(tekst: string): Instant | undefined {
  const deler = lesDeler(tekst);
  return deler?.sone ? tilInstant(deler, soneMs(deler.sone)) : undefined;
}

/**
 * A time without offset (the source's `LocalDateTime`): Europe/Oslo wall-clock time. The hour that occurs twice in
 * autumn is its first occurrence, the hour that doesn't exist in spring is moved forward. Should the source begin to
 * send an offset, the offset is believed.
 */
export function lesOslotid(tekst: string): Instant | undefined {
  const deler = lesDeler(tekst);
  if (!deler) return undefined;
  return tilInstant(deler, deler.sone ? soneMs(deler.sone) : osloOffset(tekst.slice(0, 13), deler));
}

/** Today's date in Oslo, where a calendar day of the domain begins and ends. */
export function dagensDato(naa: Date = new Date()): string {
  return new Date(naa.getTime() + offsetVed(naa.getTime())).toISOString().slice(0, 10);
}

/** A wall-clock time, with the offset it was written with. */
interface Deler {
  aar: number;
  maaned: number;
  dag: number;
  time: number;
  minutt: number;
  sekund: number;
  /** digits of the fraction of a second */
  broek: string;
  sone: string | undefined;
}

function lesDeler(tekst: string): Deler | undefined {
  const treff = TIDSPUNKT.exec(tekst);
  if (!treff) return undefined;
  const [aar, maaned, dag] = [Number(treff[1]), Number(treff[2]), Number(treff[3])];
  const [time, minutt, sekund] = [Number(treff[4]), Number(treff[5]), Number(treff[6] ?? 0)];
  if (!datoFinnes(aar, maaned, dag) || time > 23 || minutt > 59 || sekund > 59) return undefined;
  return { aar, maaned, dag, time, minutt, sekund, broek: treff[7] ?? '', sone: treff[8] };
}

function tilInstant(deler: Deler, offsetMs: number): Instant | undefined {
  const { broek } = deler;
  // The seventh digit alone decides half up.
  const opp = broek.length > 6 && broek.charCodeAt(6) >= 53 ? 1 : 0;
  const mikro = Number(broek.slice(0, 6).padEnd(6, '0')) + opp;
  const tid = new Date(lokalMs(deler) - offsetMs + (mikro === 1_000_000 ? 1000 : 0));
  const aar = tid.getUTCFullYear();
  // Other years have another length and another order as text.
  if (aar < 1 || aar > 9999) return undefined;
  const dato = `${siffer(aar, 4)}-${siffer(tid.getUTCMonth() + 1)}-${siffer(tid.getUTCDate())}`;
  const klokke = `${siffer(tid.getUTCHours())}:${siffer(tid.getUTCMinutes())}:${siffer(tid.getUTCSeconds())}`;
  return `${dato}T${klokke}.${siffer(mikro % 1_000_000, 6)}Z`;
}

function siffer(tall: number, antall = 2): string {
  return String(tall).padStart(antall, '0');
}

/** Milliseconds since 1970 of the wall-clock time, read as if it were UTC. */
function lokalMs({ aar, maaned, dag, time, minutt, sekund }: Deler): number {
  const ms = Date.UTC(aar, maaned - 1, dag, time, minutt, sekund);
  // Date.UTC reads the years 0–99 as 1900–1999.
  return aar > 99 ? ms : new Date(ms).setUTCFullYear(aar, maaned - 1, dag);
}

function datoFinnes(aar: number, maaned: number, dag: number): boolean {
  if (aar < 1 || maaned < 1 || maaned > 12 || dag < 1) return false;
  if (dag <= 28) return true;
  const skuddaar = aar % 4 === 0 && (aar % 100 !== 0 || aar % 400 === 0);
  return dag <= (maaned === 2 ? (skuddaar ? 29 : 28) : [4, 6, 9, 11].includes(maaned) ? 30 : 31);
}

function soneMs(sone: string): number {
  if (sone === 'Z') return 0;
  const [timer, minutter] = sone.slice(1).split(':').map(Number) as [number, number];
  return (sone.startsWith('-') ? -1 : 1) * (timer * 60 + minutter) * 60_000;
}

const oslo = new Intl.DateTimeFormat('en-US', { timeZone: 'Europe/Oslo', timeZoneName: 'longOffset' });

function offsetVed(utcMs: number): number {
  const navn = oslo.formatToParts(utcMs).find((del) => del.type === 'timeZoneName')?.value ?? 'GMT';
  const [, fortegn, timer, minutter] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(navn) ?? [];
  return fortegn ? soneMs(`${fortegn}${timer ?? '00'}:${minutter ?? '00'}`) : 0;
}

/** Oslo changes its clocks on whole hours, so one look-up serves every time in a wall-clock hour; Intl takes 10 µs. */
const offsetForTime = new Map<string, number>();

function osloOffset(veggtime: string, deler: Deler): number {
  let offset = offsetForTime.get(veggtime);
  if (offset === undefined) {
    const lokal = lokalMs(deler);
    const foer = offsetVed(lokal - 24 * TIME_MS);
    const etter = offsetVed(lokal + 24 * TIME_MS);
    // The offset from before a change gives the first of two equal hours, and moves a missing hour forward.
    const erEtter = offsetVed(lokal - foer) !== foer && offsetVed(lokal - etter) === etter;
    offset = erEtter ? etter : foer;
    if (offsetForTime.size >= 100_000) offsetForTime.clear();
    offsetForTime.set(veggtime, offset);
  }
  return offset;
}
