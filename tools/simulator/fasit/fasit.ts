import { lesMelding, Ubrukelig, type ForventetAvtale, type Utsagn } from './lesing.ts';

/**
 * What the source's messages come to, computed from the source contract alone. Written to be obvious, not fast, and with
 * nothing of the ingestor's code: it is what the ingestor is compared with.
 */

export interface PlassertKildemelding {
  nokkel: string | Buffer | null;
  verdi: string | Buffer | null;
  partisjon: number;
  offset: number;
}

export interface Forventet {
  /** wrongly registered ones too, which consumers do not see */
  avtaler: Map<string, ForventetAvtale>;
  /** what was deleted, with the `sistEndret` that a message must be newer than; null when unknown */
  slettet: Map<string, string | null>;
  /** `felt` is the source's name; 'key' for the key, null for the message as a whole */
  parkert: { partisjon: number; offset: number; felt: string | null }[];
}

/**
 * The state after all of the messages, in whatever order they are given: their places decide. The same message may be
 * given more than once. `parkert` is in the order given.
 */
export function forventet(meldinger: Iterable<PlassertKildemelding>): Forventet {
  const utsagn: (Utsagn & Plass)[] = [];
  const parkert: Forventet['parkert'] = [];
  for (const { nokkel, verdi, partisjon, offset } of meldinger) {
    try {
      utsagn.push({ ...lesMelding(nokkel, verdi), partisjon, offset });
    } catch (feil) {
      if (!(feil instanceof Ubrukelig)) throw feil;
      parkert.push({ partisjon, offset, felt: feil.felt });
    }
  }
  const avtaler: Forventet['avtaler'] = new Map();
  const slettet: Forventet['slettet'] = new Map();
  for (const [avtaleId, omDen] of Map.groupBy(utsagn, (u) => u.avtaleId)) {
    const { avtale, sistEndret } = sluttilstand(omDen);
    if (avtale) avtaler.set(avtaleId, avtale);
    else slettet.set(avtaleId, sistEndret);
  }
  return { avtaler, slettet, parkert };
}

interface Plass {
  partisjon: number;
  offset: number;
}

interface Tilstand {
  /** undefined: deleted */
  avtale: ForventetAvtale | undefined;
  /** null: never known */
  sistEndret: string | null;
}

/** Rules 2 and 3, for the messages of one avtale. */
function sluttilstand(utsagn: (Utsagn & Plass)[]): Tilstand {
  const iRekkefolge = utsagn.toSorted((a, b) => a.partisjon - b.partisjon || a.offset - b.offset);
  let naa: Tilstand & { underGravstein: boolean } = { avtale: undefined, sistEndret: null, underGravstein: false };
  for (const u of iRekkefolge) {
    if (u.type === 'GRAVSTEIN') {
      // It beats everything before it, and has no time itself: what comes must be newer than what it deleted.
      naa = { avtale: undefined, sistEndret: naa.sistEndret, underGravstein: true };
      continue;
    }
    const nyere = naa.sistEndret === null || u.sistEndret > naa.sistEndret;
    const likOgSenere = u.sistEndret === naa.sistEndret && !naa.underGravstein;
    if (!nyere && !likOgSenere) continue;
    naa = {
      avtale: u.type === 'AVTALE' ? u.avtale : undefined,
      sistEndret: u.sistEndret,
      underGravstein: false,
    };
  }
  return naa;
}
