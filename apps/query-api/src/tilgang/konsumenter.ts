import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { TokenBucket } from 'limiter';
import { Oppstartsfeil } from '@tiltak/platform';
import { parseDocument } from 'yaml';
import { FELTER, type Felt } from '../avtaler/felter.ts';
import { OPERASJONER, type Operasjon } from './operasjoner.ts';
import skjema from './konsumenter.schema.json' with { type: 'json' };

/** A purpose that a consumer may look things up for, and what it may see for it. */
export interface Behandlingsgrunnlag {
  id: string;
  lenke: string;
  operasjoner: ReadonlySet<Operasjon>;
  felter: ReadonlySet<Felt>;
}

export interface Konsument {
  navn: string;
  azp: string;
  behandlingsgrunnlag: Behandlingsgrunnlag[];
  /** undefined: no quota */
  kvote: { perSekund: number; boette: TokenBucket } | undefined;
}

/** The consumers by client id, the `azp` of a token. */
export class Konsumenter extends Map<string, Konsument> {}

/** Each line names the place in the file and what is wrong there. */
export class UgyldigRegister extends Oppstartsfeil {
  constructor(fil: string, feil: string[]) {
    super(feil.map((linje) => `${fil}: ${linje}`).join('\n'));
  }
}

interface Registerlinje {
  navn: string;
  azp: string;
  behandlingsgrunnlag: { id: string; lenke: string; operasjoner: Operasjon[] | 'alle'; felter: Felt[] | 'alle' }[];
  kvote?: { perSekund: number; burst: number };
}

/**
 * Reads the registry of consumers, `konsumenter.yaml`.
 *
 * @throws UgyldigRegister when it can't be read, is not YAML, or is not as `konsumenter.schema.json` says
 */
export function lesKonsumenter(fil: string): Konsumenter {
  const linjer = valider(fil, parse(fil));
  return new Konsumenter(linjer.map((linje) => [linje.azp, tilKonsument(linje)]));
}

function parse(fil: string): unknown {
  let tekst: string;
  try {
    tekst = readFileSync(fil, 'utf8');
  } catch (feil) {
    throw new UgyldigRegister(fil, [`can't be read (${(feil as NodeJS.ErrnoException).code ?? 'unknown reason'})`]);
  }
  const dokument = parseDocument(tekst);
  if (dokument.errors.length > 0)
    throw new UgyldigRegister(
      fil,
      dokument.errors.map((feil) => feil.message),
    );
  return dokument.toJS();
}

function valider(fil: string, innhold: unknown): Registerlinje[] {
  const validator = new Ajv({ allErrors: true }).compile<Registerlinje[]>(skjema);
  if (!validator(innhold)) {
    const feil = (validator.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath.slice(1).replaceAll('/', '.') || 'the file'} ${message ?? 'is wrong'}${utdyp(params)}`,
    );
    throw new UgyldigRegister(fil, feil);
  }
  const feil: string[] = [
    ...like(innhold.map(({ navn }) => navn)).map((navn) => `navn ${navn} stands twice`),
    ...like(innhold.map(({ azp }) => azp)).map((azp) => `azp ${azp} stands twice`),
    ...innhold.flatMap(({ navn, behandlingsgrunnlag }) =>
      like(behandlingsgrunnlag.map(({ id }) => id)).map((id) => `${navn}: behandlingsgrunnlag ${id} stands twice`),
    ),
    ...innhold.flatMap((linje, nr) => ukjente(linje, nr)),
  ];
  if (feil.length > 0) throw new UgyldigRegister(fil, feil);
  return innhold;
}

/** Which operations and fields there are is known by the code, not by the schema. */
function ukjente({ behandlingsgrunnlag }: Registerlinje, nr: number): string[] {
  const feil: string[] = [];
  for (const [i, { operasjoner, felter }] of behandlingsgrunnlag.entries()) {
    const sted = `${String(nr)}.behandlingsgrunnlag.${String(i)}`;
    for (const navn of operasjoner === 'alle' ? [] : operasjoner) {
      if (!(navn in OPERASJONER)) feil.push(`${sted}.operasjoner: ${navn} is not an operation`);
    }
    for (const felt of felter === 'alle' ? [] : felter) {
      if (!FELTER.includes(felt)) feil.push(`${sted}.felter: ${felt} is not a field`);
    }
  }
  return feil;
}

function utdyp(params: Record<string, unknown>): string {
  const [detalj] = Object.values(params);
  return typeof detalj === 'string' && detalj.length < 60 ? ` (${detalj})` : '';
}

function like(verdier: string[]): string[] {
  return [...new Set(verdier.filter((verdi, i) => verdier.indexOf(verdi) !== i))];
}

function tilKonsument({ navn, azp, behandlingsgrunnlag, kvote }: Registerlinje): Konsument {
  return {
    navn,
    azp,
    behandlingsgrunnlag: behandlingsgrunnlag.map(({ id, lenke, operasjoner, felter }) => ({
      id,
      lenke,
      operasjoner: new Set(operasjoner === 'alle' ? (Object.keys(OPERASJONER) as Operasjon[]) : operasjoner),
      felter: new Set(felter === 'alle' ? FELTER : felter),
    })),
    kvote: kvote && { perSekund: kvote.perSekund, boette: fullBoette(kvote) },
  };
}

function fullBoette({ perSekund, burst }: { perSekund: number; burst: number }): TokenBucket {
  const boette = new TokenBucket({ bucketSize: burst, tokensPerInterval: perSekund, interval: 'second' });
  boette.content = burst;
  return boette;
}
