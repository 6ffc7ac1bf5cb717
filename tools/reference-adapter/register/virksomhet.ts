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

/**
 * @param known what was known of it before. Of a unit that is struck off the register tells little more than its name:
 *   what it was a part of, and what it did, is as it was.
 */
export function virksomhetOf(unit: Unit, known?: Virksomhet): Virksomhet {
  const isStruckOff = unit.slettedato !== undefined;
  const address = [unit.postadresse, unit.forretningsadresse, unit.beliggenhetsadresse].find(
    (candidate) => candidate?.kommunenummer !== undefined,
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
