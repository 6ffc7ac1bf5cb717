import { kolonnenavn } from '@tiltak/database';
import { lenker } from '../avtaler/avtale.json.ts';
import { FELTER, tilVerdi, type Felt } from '../avtaler/felter.ts';

/** What JSON calls the values of a column. */
export type Slag = 'tall' | 'boolsk' | 'tekst';

const NULL = '\\N';
const MAA_OMSKRIVES = /["\\\u0000-\u001f]/;
const ESCAPE: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A column of the rows. */
export interface Kolonne {
  navn: string;
  slag: Slag;
}

/**
 * Turns rows of `COPY … TO STDOUT` into lines of JSON. Says the same as `JSON.stringify(tilAvtale(rad))`, several times
 * faster: nothing is parsed that is written again as it stands.
 */
export function lagLinjeskriver(kolonner: readonly Kolonne[]): (rad: string) => string {
  const plass = (navn: string): number => kolonner.findIndex((kolonne) => kolonne.navn === navn);
  const skrivere = FELTER.map((felt) => {
    const i = plass(kolonnenavn(felt));
    return { i, noekkel: `"${felt}":`, skriv: skriver(felt, kolonner[i]?.slag ?? 'tekst') };
  });
  const [id, deltaker, bedrift] = [plass('avtale_id'), plass('deltaker_id'), plass('bedrift_nr')];
  const relasjoner = plass('relasjoner');
  return (rad) => {
    const celler = rad.split('\t');
    let json = '{';
    for (const { i, noekkel, skriv } of skrivere) {
      const verdi = skriv(celler[i] ?? NULL);
      if (verdi !== undefined) json += noekkel + verdi + ',';
    }
    const lenkerad = {
      avtale_id: celler[id] ?? null,
      deltaker_id: utenNull(celler[deltaker]),
      bedrift_nr: utenNull(celler[bedrift]),
      relasjoner: utenNull(celler[relasjoner]),
    };
    return json + '"_links":' + JSON.stringify(lenker(lenkerad)) + '}\n';
  };
}

type Skriver = (celle: string) => string | undefined;

function skriver(felt: Felt, slag: Slag): Skriver {
  const forNull = JSON.stringify(tilVerdi(felt)(null)) as string | undefined;
  const skriv = skriverFor(felt, slag);
  return (celle) => (celle === NULL ? forNull : skriv(celle));
}

function skriverFor(felt: Felt, slag: Slag): Skriver {
  if (slag === 'tall') return (celle) => celle;
  if (slag === 'boolsk') return (celle) => (celle === 't' ? 'true' : 'false');
  const les = tilVerdi(felt);
  if (les.faaVerdier) return husk((celle) => JSON.stringify(les(tekst(celle))));
  return les.uendret
    ? (celle) => (MAA_OMSKRIVES.test(celle) ? JSON.stringify(tekst(celle)) : `"${celle}"`)
    : (celle) => `"${String(les(celle))}"`;
}

/** Codes: a handful of values, a million times. */
function husk(skriv: (celle: string) => string): Skriver {
  const kjente = new Map<string, string>();
  return (celle) => {
    let json = kjente.get(celle);
    if (json === undefined) {
      json = skriv(celle);
      if (kjente.size < 1_000) kjente.set(celle, json);
    }
    return json;
  };
}

function utenNull(celle = NULL): string | null {
  return celle === NULL ? null : tekst(celle);
}

/** COPY's text format without its escapes. */
function tekst(celle: string): string {
  return celle.includes('\\') ? celle.replace(/\\(.)/g, (_, tegn: string) => ESCAPE[tegn] ?? tegn) : celle;
}
