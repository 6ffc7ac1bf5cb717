const SKJULT = '•••';

/** Fields of the source that are about the avtale, not about a person. Everything else is hidden, also what is new. */
const APNE_FELTER: ReadonlySet<string> = new Set([
  'hendelseType',
  'avtaleId',
  'avtaleNr',
  'sistEndret',
  'tiltakstype',
  'versjon',
  'avtaleStatus',
  'avtaleInngått',
  'startDato',
  'sluttDato',
  'stillingprosent',
  'antallDagerPerUke',
  'stillingstype',
  'godkjentAvDeltaker',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'godkjentPaVegneAv',
  'godkjentPaVegneAvArbeidsgiver',
  'opphav',
  'opprettetTidspunkt',
  'annullertTidspunkt',
  'feilregistrert',
  'slettemerket',
  'bedriftNr',
]);
const MAKS_TEGN = 4_000;
const MAKS_FELTVERDI = 60;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * A raw message for people on duty: a JSON object with its fields and the values that are not about a person; of anything
 * else only the shape, letters as `x` and digits as `0`, which still shows where JSON broke. Null for a tombstone.
 */
export function maskerMelding(verdi: Buffer | null): string | null {
  if (verdi === null) return null;
  const tekst = verdi.toString('utf8');
  const objekt = somObjekt(tekst);
  if (!objekt) return form(tekst.slice(0, MAKS_TEGN));
  const felter = Object.entries(objekt).map(([navn, del]) => [maskerNavn(navn), maskerFelt(navn, del)] as const);
  return skjulIdenter(JSON.stringify(Object.fromEntries(felter), null, 2)).slice(0, MAKS_TEGN);
}

/** The Kafka key: an avtaleId as it is, of anything else the shape. */
export function maskerNoekkel(nokkel: Buffer | null): string | null {
  if (nokkel === null) return null;
  const tekst = nokkel.toString('utf8');
  return UUID.test(tekst) ? tekst : form(tekst.slice(0, 100));
}

function somObjekt(tekst: string): Record<string, unknown> | undefined {
  try {
    const verdi: unknown = JSON.parse(tekst);
    const erObjekt = typeof verdi === 'object' && verdi !== null && !Array.isArray(verdi);
    return erObjekt ? (verdi as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A name of a field is as free as a value. */
function maskerNavn(navn: string): string {
  return /^[\p{L}_]\w{0,59}$/u.test(navn.replaceAll(/[æøå]/gi, 'a')) ? navn : form(navn.slice(0, MAKS_FELTVERDI));
}

function maskerFelt(navn: string, verdi: unknown): unknown {
  if (verdi === null || typeof verdi === 'boolean') return verdi;
  if (!APNE_FELTER.has(navn) || typeof verdi === 'object') return SKJULT;
  if (typeof verdi === 'number') return verdi;
  const tekst = String(verdi);
  // UUIDs and times are longer than words; what is longer than those is not what the field is for.
  return tekst.length > MAKS_FELTVERDI ? SKJULT : tekst;
}

/** Eleven digits in a row or more, also with the usual space after six. */
function skjulIdenter(tekst: string): string {
  return tekst.replaceAll(/\d{6} ?\d{5,}/g, '***********');
}

function form(tekst: string): string {
  return tekst
    .replaceAll(/\p{L}/gu, 'x')
    .replaceAll(/\p{N}/gu, '0')
    .replaceAll(/[^\p{L}\p{N}\p{P}\p{S}\s]/gu, '?');
}
