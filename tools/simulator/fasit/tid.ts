/** The source's times, by rules 2 and 7 of its contract. undefined: it can't be read. */

const DATO = /^\d{4}-\d\d-\d\d$/;
const VEGGTID = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?$/;

/** A date that exists, as it came. */
export function lesDato(tekst: string): string | undefined {
  return DATO.test(tekst) && finnes(`${tekst}T00:00:00`) ? tekst : undefined;
}

/** `Instant`, which ends in Z: UTC with six digits, rounded half up. */
export function lesInstant(tekst: string): string | undefined {
  const [, hele, broek = ''] = VEGGTID.exec(tekst.replace(/Z$/, '')) ?? [];
  if (!hele || !tekst.endsWith('Z') || !finnes(hele)) return undefined;
  return medMikro(Date.parse(`${hele}Z`), broek);
}

/**
 * `LocalDateTime`, Oslo's wall clock: UTC with six digits. Both of Oslo's offsets are tried, summer time first, which is
 * the first of two equal hours. An hour that doesn't exist fits neither: read with the offset from before it, it has moved
 * forward.
 */
export function lesOslotid(tekst: string): string | undefined {
  const [, hele, broek = ''] = VEGGTID.exec(tekst) ?? [];
  if (!hele || !finnes(hele)) return undefined;
  const [sommer, vinter] = [Date.parse(`${hele}+02:00`), Date.parse(`${hele}+01:00`)];
  const passer = [sommer, vinter].find((ms) => visesSom(ms, hele));
  return medMikro(passer ?? vinter, broek);
}

/** Not 31 February, and not 24:00. */
function finnes(hele: string): boolean {
  const ms = Date.parse(`${hele}Z`);
  return !hele.startsWith('0000') && !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(hele);
}

const veggur = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'medium' });

function visesSom(ms: number, hele: string): boolean {
  return veggur.format(ms).replace(' ', 'T') === hele;
}

function medMikro(ms: number, broek: string): string {
  const nano = BigInt(broek.padEnd(9, '0'));
  const mikro = BigInt(ms) * 1_000n + (nano + 500n) / 1_000n;
  const rest = ((mikro % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const hele = new Date(Number((mikro - rest) / 1_000n)).toISOString().slice(0, 19);
  return `${hele}.${String(rest).padStart(6, '0')}Z`;
}
