import { createEvents, createUpdates } from '@tiltak/simulator';
import { syntheticFnr, syntheticOrgnr } from '@tiltak/testing';
import { textsOf, type TextMessage } from './publish.ts';
import type { Stock } from './stock.ts';

/** Messages of the simulator that the stock is multiplied from; about 7,300 avtaler. */
const MAX_ORIGINAL = 100_000;
/** More than each avtale has on average, when a smaller original will do. */
const MESSAGES_EACH = 30;

/** The simulated time is two years and more: so many copies, each a year before the other, and it is ten. */
export const YEARS = 8;
/** Messages for each avtale, on average, and a bit fewer. */
const MESSAGES_OF_LIFE = 13;

/** For growth, so many that a copy of each year fits in what comes through the ingestor. */
export const originalCount = ({ avtaler, growth }: Pick<Stock, 'avtaler' | 'growth'>): number =>
  Math.min(MAX_ORIGINAL, growth ? Math.floor((growth.ingested / YEARS) * MESSAGES_OF_LIFE) : avtaler * MESSAGES_EACH);

export const originalOf = (stock: Pick<Stock, 'avtaler' | 'growth'>): TextMessage[] =>
  textsOf(createEvents({ count: originalCount(stock) }));

/** So that a weekday stays one, and the clocks change on the same Sunday, or the next. */
const DAYS_A_YEAR = 364;
/** Above all numbers of an original. */
export const NUMBER_STEP = 100_000;

/** The original with other avtaler, persons and employers, by number of the copy; and of another year, when it is for growth. */
export class Copies {
  readonly ids: string[];
  /** of the original, each with its number */
  readonly persons = new Map<string, number>();
  readonly employers = new Map<string, number>();
  readonly original: readonly TextMessage[];
  private readonly overYears: boolean;

  constructor(original: readonly TextMessage[], { growth }: Pick<Stock, 'growth'>) {
    this.original = original;
    this.overYears = growth !== undefined;
    this.ids = [...new Set(original.map(({ key }) => key))];
    for (const { value } of original) {
      number(this.persons, fnrIn(value));
      number(this.employers, orgnrIn(value));
    }
  }

  personOf(nr: number, person: number): string {
    return manyFnr(person + nr * this.persons.size);
  }

  employerOf(nr: number, employer: number): string {
    return syntheticOrgnr(employer + nr * this.employers.size);
  }

  idOf(nr: number, key: string): string {
    return idOfCopy(key, nr);
  }

  /** All messages of some avtaler, by their ids in the original. */
  messagesOf(nr: number, keys: ReadonlySet<string>): TextMessage[] {
    return this.original.filter(({ key }) => keys.has(key)).map((message) => this.message(message, nr));
  }

  /** Numbers of the avtaler of each person; of persons together, where an avtale has been of several. */
  avtalerOfPersons(): number[][] {
    const numbers = new Map(this.ids.map((key, i) => [key, i]));
    const groups = new Map<string, Set<number>>();
    for (const { key, value } of this.original) {
      const [person, avtale] = [fnrIn(value) ?? key, numbers.get(key) ?? 0];
      const known = [...(groups.get(person) ?? []), avtale];
      const joined = new Set([...known, ...known.flatMap((each) => [...(groups.get(this.ids[each] ?? '') ?? [])])]);
      groups.set(person, joined);
      for (const each of joined) groups.set(this.ids[each] ?? '', joined);
    }
    const ofAvtaler = this.ids.map((key) => groups.get(key) ?? new Set<number>());
    return [...new Set(ofAvtaler)].map((group) => [...group]);
  }

  message(message: TextMessage, nr: number): TextMessage {
    const days = this.overYears ? -DAYS_A_YEAR * (nr % YEARS) : 0;
    return renamed(message, nr, {
      fnr: (fnr) => this.personOf(nr, this.persons.get(fnr) ?? 0),
      orgnr: (orgnr) => this.employerOf(nr, this.employers.get(orgnr) ?? 0),
      days,
    });
  }
}

function number(numbers: Map<string, number>, ident: string | undefined): void {
  if (ident !== undefined && !numbers.has(ident)) numbers.set(ident, numbers.size);
}

/** Idents of persons that `syntheticFnr` tells apart, of each kind. */
const FNR_OF_A_KIND = 2_352_000;
const KINDS = ['TESTNORGE', 'NAV', 'DNR'] as const;

/** More persons than one kind of ident has: as many as ten million avtaler are about. */
export function manyFnr(n: number): string {
  return syntheticFnr(n % FNR_OF_A_KIND, KINDS[Math.floor(n / FNR_OF_A_KIND) % KINDS.length]);
}

const fnrIn = (value: string): string | undefined => /"deltakerFnr":"(\d{11})"/.exec(value)?.[1];
const orgnrIn = (value: string): string | undefined => /"bedriftNr":"(\d{9})"/.exec(value)?.[1];

export interface Renaming {
  fnr: (fnr: string) => string;
  orgnr: (orgnr: string) => string;
  /** that everything in it is later */
  days: number;
}

/** Of another avtale, person and employer: the second group of the id holds which copy it is. */
export function renamed(message: TextMessage, copyNr: number, other: Renaming): TextMessage {
  const key = idOfCopy(message.key, copyNr);
  const [fnr, orgnr] = [fnrIn(message.value), orgnrIn(message.value)];
  let value = message.value
    .replaceAll(message.key, key)
    .replace(/"avtaleNr":(\d+)/, (_, number: string) => `"avtaleNr":${String(Number(number) + copyNr * NUMBER_STEP)}`);
  if (orgnr !== undefined) value = value.replace(`"bedriftNr":"${orgnr}"`, `"bedriftNr":"${other.orgnr(orgnr)}"`);
  if (fnr !== undefined) value = value.replaceAll(fnr, other.fnr(fnr));
  return { key, value: other.days === 0 ? value : moved(value, other.days) };
}

function idOfCopy(id: string, nr: number): string {
  const group = (Number.parseInt(id.slice(9, 13), 16) + nr) % 0x10000;
  return `${id.slice(0, 9)}${group.toString(16).padStart(4, '0')}${id.slice(13)}`;
}

function moved(value: string, days: number): string {
  return value.replace(/"(\d{4}-\d\d-\d\d)(?=[T"])/g, (_, date: string) => `"${dayAfter(date, days)}`);
}

const known = new Map<string, string>();

function dayAfter(date: string, days: number): string {
  const key = `${date}${String(days)}`;
  let other = known.get(key);
  if (other === undefined) {
    other = new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
    known.set(key, other);
  }
  return other;
}

/** messages of one copy, made when they are asked for */
export type Copy = () => TextMessage[];

/** The original again and again, until there are so many avtaler. */
export function copiesOf(original: readonly TextMessage[], stock: Stock): Copy[] {
  const { avtaler, lives } = stock;
  const last = new Map(original.map((message) => [message.key, message]));
  const copies = new Copies(original, stock);
  const chosen = lives === 'whole' ? original : [...last.values()];
  const count = Math.ceil(avtaler / copies.ids.length);
  return Array.from({ length: count }, (_, nr) => () => {
    const left = avtaler - nr * copies.ids.length;
    const wanted = left >= copies.ids.length ? undefined : new Set(copies.ids.slice(0, left));
    return chosen.filter(({ key }) => wanted?.has(key) ?? true).map((message) => copies.message(message, nr));
  });
}

/** Which copies of the original there are, each whole. */
export interface WholeCopies {
  /** of so many, the first ones */
  count: number;
  /** but not these */
  without: readonly number[];
}

/**
 * Changes to avtaler from all over a stock of whole lives, each to one that chance chose, and no new ones: as many as the
 * original has messages.
 *
 * @param pass each changes what the one before has changed
 */
export function* changesTo(stock: Stock, { count, without }: WholeCopies, pass = 0): Generator<TextMessage> {
  const copies = new Copies(originalOf(stock), stock);
  const wholes = Array.from({ length: count }, (_, nr) => nr).filter((nr) => !without.includes(nr));
  // A stock that is smaller than its original is a part of the first copy.
  const known = wholes.length > 0 ? undefined : new Set(copies.ids.slice(0, stock.avtaler));
  let n = pass * originalCount(stock);
  for (const message of createUpdates({ count: originalCount(stock) })) {
    const [text] = textsOf([message]);
    if (!text || known?.has(text.key) === false) continue;
    const { key, value } = copies.message(text, wholes[chosenBy(n++) % wholes.length] ?? 0);
    yield {
      key,
      value:
        pass === 0 ? value : value.replace(CHANGED_ON, (_, date: string) => `"sistEndret":"${dayAfter(date, pass)}`),
    };
  }
}

const CHANGED_ON = /"sistEndret":"(\d{4}-\d\d-\d\d)/;

/** Any number, the same for the same. */
const chosenBy = (n: number): number => Math.imul(n + 1, 0x9e3779b1) >>> 4;
