/** A unit as the register's open data tell it: names and nesting as in its public documentation, reduced to a usual size. */
export interface RegisterUnit {
  organisasjonsnummer: string;
  navn: string;
  organisasjonsform: { kode: string; beskrivelse: string };
  slettedato?: string;
  overordnetEnhet?: string;
  naeringskode1?: { kode: string; beskrivelse: string };
  postadresse?: RegisterAddress;
  forretningsadresse?: RegisterAddress;
  beliggenhetsadresse?: RegisterAddress;
  // eslint-disable-next-line tiltak/english-names -- as the register has it
  respons_klasse: string;
  [member: string]: unknown;
}

export interface RegisterAddress {
  land: string;
  landkode: string;
  postnummer: string;
  poststed: string;
  adresse: string[];
  kommune: string;
  kommunenummer: string;
}

export interface UnitForm {
  kode: string;
  beskrivelse: string;
}

export const FORMS: readonly [UnitForm, ...UnitForm[]] = [
  { kode: 'AS', beskrivelse: 'Aksjeselskap' },
  { kode: 'ENK', beskrivelse: 'Enkeltpersonforetak' },
  { kode: 'FLI', beskrivelse: 'Forening/lag/innretning' },
  { kode: 'KOMM', beskrivelse: 'Kommune' },
  { kode: 'ORGL', beskrivelse: 'Organisasjonsledd' },
  { kode: 'BEDR', beskrivelse: 'Underenhet til næringsdrivende og offentlig forvaltning' },
];

interface UnitParts {
  organisasjonsnummer: string;
  navn: string | undefined;
  form: UnitForm;
  overordnetEnhet: string | undefined;
  place: number;
  version: number;
}

/** Each version of a unit says something else. */
export function createUnit({
  organisasjonsnummer,
  navn,
  form,
  overordnetEnhet,
  place,
  version,
}: UnitParts): RegisterUnit {
  const draw = (salt: number, count: number): number => mix(place, version * 31 + salt) % count;
  const isEstablishment = form.kode === 'BEDR';
  const name = navn ?? `${pick(FIRST_WORDS, draw(1, 8))} ${pick(SECOND_WORDS, draw(2, 8))} ${String(place)}`;
  const address = addressOf(draw(3, MUNICIPALITIES.length));
  return {
    organisasjonsnummer,
    navn: `${name}${version > 0 ? ` ${String(version)}` : ''}${form.kode === 'AS' ? ' AS' : ''}`,
    organisasjonsform: { ...form },
    registreringsdatoEnhetsregisteret: '2015-03-02',
    registrertIMvaregisteret: draw(4, 2) === 1,
    naeringskode1: { kode: pick(INDUSTRIES, draw(5, INDUSTRIES.length)), beskrivelse: 'Syntetisk næring' },
    antallAnsatte: draw(6, 90),
    harRegistrertAntallAnsatte: true,
    ...(overordnetEnhet === undefined ? {} : { overordnetEnhet }),
    // Not all have one: the other address tells the municipality then.
    ...(draw(7, 3) === 0 ? { postadresse: addressOf(draw(8, MUNICIPALITIES.length)) } : {}),
    ...(isEstablishment ? { beliggenhetsadresse: address } : { forretningsadresse: address }),
    konkurs: false,
    underAvvikling: false,
    respons_klasse: isEstablishment ? 'Underenhet' : 'Enhet',
    links: [],
  };
}

/** What is left of a unit that is struck off. */
export function struckOff(unit: RegisterUnit, day: Date): RegisterUnit {
  const { organisasjonsnummer, navn, organisasjonsform, respons_klasse: response } = unit;
  const slettedato = day.toISOString().slice(0, 10);
  return { organisasjonsnummer, navn, organisasjonsform, slettedato, respons_klasse: `Slettet${response}` };
}

function addressOf(n: number): RegisterAddress {
  const [kommunenummer, kommune] = MUNICIPALITIES[n] ?? ['0301', 'OSLO'];
  return {
    land: 'Norge',
    landkode: 'NO',
    postnummer: kommunenummer,
    poststed: kommune,
    adresse: [`Syntetisk vei ${String(n)}`],
    kommune,
    kommunenummer,
  };
}

/** Well spread, whatever is near whatever. */
function mix(a: number, b: number): number {
  let hash = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

const pick = (words: readonly string[], n: number): string => words[n] ?? '';
const FIRST_WORDS = ['ROLIG', 'LUR', 'KREATIV', 'SNILL', 'TREIG', 'RASK', 'BLÅ', 'ÆRLIG'];
const SECOND_WORDS = ['TIGER', 'FIOLIN', 'ØKS', 'TUBE', 'GRANITT', 'HATT', 'STÅL', 'ELV'];
const INDUSTRIES = ['47.111', '62.010', '84.110', '85.201', '88.911', '41.200', '56.101', '49.410', '00.000'];
const MUNICIPALITIES: readonly (readonly [string, string])[] = [
  ['0301', 'OSLO'],
  ['1103', 'STAVANGER'],
  ['3301', 'DRAMMEN'],
  ['4204', 'KRISTIANSAND'],
  ['4601', 'BERGEN'],
  ['5001', 'TRONDHEIM'],
  ['5501', 'TROMSØ'],
];
