/** What is read of a unit of the register: of its open data, the members that a virksomhet has something of. */
export interface Unit {
  organisasjonsnummer: string;
  navn?: string;
  organisasjonsform?: { kode?: string };
  slettedato?: string;
  overordnetEnhet?: string;
  naeringskode1?: { kode?: string };
  postadresse?: { kommunenummer?: string };
  forretningsadresse?: { kommunenummer?: string };
  beliggenhetsadresse?: { kommunenummer?: string };
}

/** As an adapter sends it, but for when it was changed. */
export interface Virksomhet {
  organisasjonsnummer: string;
  navn: string | null;
  organisasjonsform: string | null;
  overordnetEnhet: string | null;
  naeringskode: string | null;
  kommunenummer: string | null;
  slettetDato: string | null;
}

/** A unit that says something that a virksomhet can't hold: names the member, and never its value. */
export class UnitError extends Error {}

/**
 * The unit of the register's JSON, so far as it is read here.
 *
 * @throws UnitError
 */
export function unitOf(json: unknown): Unit {
  const unit = objectIn(json, 'the unit') ?? fail('the unit must be an object');
  requireText(unit, 'organisasjonsnummer', NUMBER);
  if (typeof unit['organisasjonsnummer'] !== 'string') fail('organisasjonsnummer is missing');
  requireText(unit, 'navn', AT_MOST_1000);
  requireText(unit, 'overordnetEnhet', NUMBER);
  requireText(unit, 'slettedato', DAY);
  for (const member of ['organisasjonsform', 'naeringskode1'] as const) {
    requireText(objectIn(unit[member], member), 'kode', AT_MOST_100, `${member}.`);
  }
  for (const member of ADDRESSES)
    requireText(objectIn(unit[member], member), 'kommunenummer', AT_MOST_100, `${member}.`);
  return unit as unknown as Unit;
}

/** Of a unit that can't be read, so that it can be asked for by itself. */
export function numberIn(json: unknown): string | undefined {
  const number = (json as { organisasjonsnummer?: unknown } | null)?.organisasjonsnummer;
  return typeof number === 'string' && NUMBER.form.test(number) ? number : undefined;
}

interface TextForm {
  form: RegExp;
  told: string;
  /** of what has the form */
  holds?: (text: string) => boolean;
}

const NUMBER: TextForm = { form: /^[0-9]{9}$/, told: 'nine digits' };
const DAY: TextForm = { form: /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, told: 'a day, YYYY-MM-DD', holds: isDay };
const AT_MOST_100: TextForm = textOf('100', /^[^\0]{0,100}$/su);
const AT_MOST_1000: TextForm = textOf('1,000', /^[^\0]{0,1000}$/su);
const ADDRESSES = ['postadresse', 'forretningsadresse', 'beliggenhetsadresse'] as const;

/** What can be neither stored nor sent as UTF-8 is refused here, where it holds no other unit. */
function textOf(length: string, form: RegExp): TextForm {
  const told = `text of at most ${length} characters, without U+0000 and lone surrogates`;
  return { form, told, holds: (text) => text.isWellFormed() };
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** Undefined when it is not there, or null. */
function objectIn(value: unknown, name: string): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : fail(`${name} must be an object`);
}

/** Null is as not there. */
function requireText(
  from: Record<string, unknown> | undefined,
  member: string,
  { form, told, holds = () => true }: TextForm,
  within = '',
): void {
  const value = from?.[member];
  if (value === undefined || value === null) return;
  if (!(typeof value === 'string' && form.test(value) && holds(value))) fail(`${within}${member} must be ${told}`);
}

function fail(what: string): never {
  throw new UnitError(what);
}

/**
 * @param known what was known of it before. Of a unit that is struck off the register tells little more than its name:
 *   what it was a part of, and what it did, is as it was.
 */
export function virksomhetOf(unit: Unit, known?: Virksomhet): Virksomhet {
  const isStruckOff = typeof unit.slettedato === 'string';
  const address = ADDRESSES.map((member) => unit[member]).find(
    (candidate) => typeof candidate?.kommunenummer === 'string',
  );
  const before = isStruckOff ? known : undefined;
  return {
    organisasjonsnummer: unit.organisasjonsnummer,
    navn: unit.navn ?? before?.navn ?? null,
    organisasjonsform: unit.organisasjonsform?.kode ?? before?.organisasjonsform ?? null,
    overordnetEnhet: unit.overordnetEnhet ?? before?.overordnetEnhet ?? null,
    naeringskode: unit.naeringskode1?.kode ?? before?.naeringskode ?? null,
    kommunenummer: address?.kommunenummer ?? before?.kommunenummer ?? null,
    slettetDato: unit.slettedato ?? null,
  };
}
