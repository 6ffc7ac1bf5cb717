import { createHash } from 'node:crypto';
import { KILDEFELTER, tolkMelding } from '@tiltak/avtale';
import { fellesFeil, Problem, type Feltfeil } from '@tiltak/platform';
import type { NyMelding } from './publisering.ts';
import type { Synktype } from './synk.queries.ts';

export const MAKS_RESSURSER = 10_000;
export const MAKS_SIDER = 100_000;
/** Far more than a reduced avtale needs, and less than a broker refuses. */
const MAKS_RESSURS_BYTES = 100_000;
const MAKS_FEIL = 100;
const SYNK_ID = /^(?!\d{11}$)[A-Za-z0-9_-]{1,100}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A page that may be published. */
export interface Side {
  type: Synktype;
  synkId: string;
  side: number;
  antallSider: number;
  antallTotalt: number;
  meldinger: NyMelding[];
  /** of what is to be published */
  avtrykk: Buffer;
}

type Objekt = Record<string, unknown>;

/** @throws Problem 400 that names every entry that is wrong, by index and field; 413 for too many */
export function lesSide(type: Synktype, body: unknown): Side {
  const feil: Feltfeil[] = [];
  const { metadata, ressurser } = erObjekt(body) ? body : {};
  const hode = lesMetadata(metadata, feil);
  if (!Array.isArray(ressurser)) {
    feil.push({ felt: 'ressurser', melding: 'must be a list' });
    throw ugyldig(feil);
  }
  if (ressurser.length > MAKS_RESSURSER) {
    throw new Problem(fellesFeil.FOR_STOR, `A page has at most ${String(MAKS_RESSURSER)} entries`);
  }
  const sett = new Map<string, number>();
  const meldinger = ressurser.map((ressurs: unknown, indeks) => {
    // A large page is not held in memory twice: what is read of it is let go of.
    ressurser[indeks] = undefined;
    return lesRessurs(type, ressurs, indeks, sett, feil);
  });
  if (hode.antallTotalt < ressurser.length) {
    feil.push({ felt: 'metadata.antallTotalt', melding: 'is less than the entries of this page' });
  }
  if (feil.length > 0) throw ugyldig(feil);
  return { type, ...hode, meldinger, avtrykk: avtrykk(meldinger) };
}

/** As many as fit in an answer, and how many there are beside. */
function ugyldig(feil: Feltfeil[]): Problem {
  const flere = feil.length - MAKS_FEIL;
  return new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The page is not valid; nothing of it is published', {
    feil: feil.slice(0, MAKS_FEIL),
    ...(flere > 0 ? { felter: { flereFeil: flere } } : {}),
  });
}

function lesMetadata(
  metadata: unknown,
  feil: Feltfeil[],
): Pick<Side, 'synkId' | 'side' | 'antallSider' | 'antallTotalt'> {
  if (!erObjekt(metadata)) feil.push({ felt: 'metadata', melding: 'must be an object' });
  const { synkId, side, antallSider, antallTotalt } = erObjekt(metadata) ? metadata : {};
  const heltall = (navn: string, verdi: unknown, min: number, maks: number): number => {
    if (typeof verdi === 'number' && Number.isInteger(verdi) && verdi >= min && verdi <= maks) return verdi;
    feil.push({ felt: `metadata.${navn}`, melding: `must be a whole number from ${String(min)} to ${String(maks)}` });
    return maks;
  };
  if (typeof synkId !== 'string' || !SYNK_ID.test(synkId)) {
    feil.push({
      felt: 'metadata.synkId',
      melding: 'must be 1 to 100 of A–Z, a–z, 0–9, _ and -, and no national ident',
    });
  }
  const sider = heltall('antallSider', antallSider, 1, MAKS_SIDER);
  return {
    synkId: String(synkId),
    antallSider: sider,
    side: heltall('side', side, 1, sider),
    antallTotalt: heltall('antallTotalt', antallTotalt, 0, MAKS_SIDER * MAKS_RESSURSER),
  };
}

function lesRessurs(
  type: Synktype,
  ressurs: unknown,
  indeks: number,
  sett: Map<string, number>,
  feil: Feltfeil[],
): NyMelding {
  const sted = `ressurser[${String(indeks)}]`;
  const id = erObjekt(ressurs) ? ressurs['id'] : undefined;
  if (!erObjekt(ressurs) || typeof id !== 'string' || !UUID.test(id)) {
    feil.push({ felt: `${sted}.id`, melding: 'must be a UUID' });
    return { avtaleId: '', verdi: null };
  }
  const avtaleId = id.toLowerCase();
  const tidligere = sett.get(avtaleId);
  if (tidligere === undefined) sett.set(avtaleId, indeks);
  else feil.push({ felt: `${sted}.id`, melding: `is the id of ressurser[${String(tidligere)}] too` });
  if (type === 'SLETT') return { avtaleId, verdi: null };
  const innhold = ressurs['ressurs'];
  if (!erObjekt(innhold)) {
    feil.push({ felt: `${sted}.ressurs`, melding: 'must be an object' });
    return { avtaleId, verdi: null };
  }
  return { avtaleId, verdi: lesInnhold(avtaleId, innhold, sted, feil) };
}

/** The message, when it can be read as the stream's are; nothing is published of what this system doesn't keep. */
function lesInnhold(avtaleId: string, innhold: Objekt, sted: string, feil: Feltfeil[]): string {
  const kilde: Objekt = Object.fromEntries(
    KILDEFELTER.flatMap((felt) => (felt in innhold ? [[felt, innhold[felt]]] : [])),
  );
  const verdi = JSON.stringify(kilde);
  if (Buffer.byteLength(verdi) > MAKS_RESSURS_BYTES) {
    feil.push({ felt: `${sted}.ressurs`, melding: `is larger than ${String(MAKS_RESSURS_BYTES)} bytes` });
    return verdi;
  }
  const nokkel = Buffer.from(avtaleId);
  // The reading stops at the first field that is wrong: without that one, it goes on to the next.
  for (let tolket = tolkMelding(nokkel, Buffer.from(verdi)); !tolket.ok;) {
    const { felt, aarsak } = tolket.grunn;
    if (felt === 'key') feil.push({ felt: `${sted}.id`, melding: 'differs from the avtaleId of its ressurs' });
    else feil.push({ felt: felt === null ? `${sted}.ressurs` : `${sted}.ressurs.${felt}`, melding: aarsak });
    if (felt === null || felt === 'key' || !(felt in kilde)) break;
    if (felt === 'avtaleId') kilde['avtaleId'] = avtaleId;
    else if (felt === 'sistEndret') kilde['sistEndret'] = '2000-01-01T00:00:00Z';
    else Reflect.deleteProperty(kilde, felt);
    tolket = tolkMelding(nokkel, Buffer.from(JSON.stringify(kilde)));
  }
  return verdi;
}

function avtrykk(meldinger: readonly NyMelding[]): Buffer {
  const hash = createHash('sha256');
  for (const { avtaleId, verdi } of meldinger) hash.update(`${avtaleId}\n${verdi ?? ''}\n`);
  return hash.digest();
}

function erObjekt(verdi: unknown): verdi is Objekt {
  return typeof verdi === 'object' && verdi !== null && !Array.isArray(verdi);
}
