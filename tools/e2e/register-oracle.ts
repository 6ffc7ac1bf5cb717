import type { Register, RegisterUnit } from '@tiltak/simulator';

/** A virksomhet as it is answered, but for when it was changed. */
export interface AnsweredUnit {
  organisasjonsnummer: string;
  navn: string | null;
  organisasjonsform: string | null;
  overordnetEnhet: string | null;
  naeringskode: string | null;
  kommunenummer: string | null;
  slettetDato: string | null;
  hovedenhet: string | null;
}

const MAX_LEVELS = 20;
const MAX_TOLD = 10;

/**
 * What differs between the register and what is answered of it, computed from the register's own units and from nothing
 * of the adapter's or the ingestor's code. Of a unit that is struck off, the register tells whoever did not know it
 * before no more than its name and form: of these the rest is taken as it is answered.
 *
 * @returns the number of it, and the members that differ
 */
export function deviationsOf(register: Register, answered: Iterable<AnsweredUnit>): string[] {
  const rows = new Map([...answered].map((row) => [row.organisasjonsnummer, row]));
  const expected = new Map<string, AnsweredUnit>();
  for (const { unit, slettedato } of register.state()) {
    const known = slettedato === undefined ? undefined : rows.get(unit.organisasjonsnummer);
    expected.set(unit.organisasjonsnummer, {
      ...unitAsAnswered(unit),
      ...knownOf(known),
      slettetDato: slettedato ?? null,
    });
  }
  for (const row of expected.values()) row.hovedenhet = topOf(row.organisasjonsnummer, expected);
  const wrong: string[] = [];
  for (const [nr, row] of expected) {
    const found = rows.get(nr);
    const differing = found ? MEMBERS.filter((member) => found[member] !== row[member]) : ['is not there'];
    if (differing.length > 0 && wrong.length < MAX_TOLD) wrong.push(`${nr}: ${differing.join(', ')}`);
  }
  for (const nr of rows.keys()) if (!expected.has(nr) && wrong.length < MAX_TOLD) wrong.push(`${nr}: is there`);
  return wrong;
}

const MEMBERS = [
  'navn',
  'organisasjonsform',
  'overordnetEnhet',
  'naeringskode',
  'kommunenummer',
  'slettetDato',
  'hovedenhet',
] as const;

function unitAsAnswered(unit: RegisterUnit): AnsweredUnit {
  const { postadresse, forretningsadresse, beliggenhetsadresse } = unit;
  return {
    organisasjonsnummer: unit.organisasjonsnummer,
    navn: unit.navn,
    organisasjonsform: unit.organisasjonsform.kode,
    overordnetEnhet: unit.overordnetEnhet ?? null,
    naeringskode: unit.naeringskode1?.kode ?? null,
    kommunenummer: (postadresse ?? forretningsadresse ?? beliggenhetsadresse)?.kommunenummer ?? null,
    slettetDato: null,
    hovedenhet: null,
  };
}

function knownOf(row: AnsweredUnit | undefined): Partial<AnsweredUnit> {
  if (!row) return {};
  const { overordnetEnhet, naeringskode, kommunenummer } = row;
  return { overordnetEnhet, naeringskode, kommunenummer };
}

/** The last of the chain, here or not; none when the unit is the top itself, or the chain never ends. */
function topOf(nr: string, units: ReadonlyMap<string, AnsweredUnit>): string | null {
  let top = nr;
  for (let level = 0; level <= MAX_LEVELS; level++) {
    const above = units.get(top)?.overordnetEnhet ?? null;
    if (above === null) return top === nr ? null : top;
    top = above;
  }
  return null;
}
