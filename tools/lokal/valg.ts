import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { portErLedig } from '@tiltak/testing';
import { erOrganisasjonsnavn, NAVNEREGEL } from '../organisasjon/navn.ts';

/** Said to whoever starts the stack, without a stack trace. */
export class Startfeil extends Error {}

const FELLESPORTER = { KAFKA_PORT: 19_092, ISSUER_PORT: 8_090 };
const EGNE_PORTER = { POSTGRES_PORT: 15_432, QUERY_API_PORT: 3_000, INGESTOR_PORT: 3_001 };
/** Between the ports of an organisation and those of the next. */
const AVSTAND = 10;

/** Ports by the variables that set them. */
type Porter = Record<string, number>;

export interface Organisasjonsvalg {
  navn: string;
  porter: Record<'postgres' | 'queryApi' | 'ingestor', number>;
}

export interface Valg {
  /** without sample data */
  tom: boolean;
  /** absolute path of what to keep; nothing is kept when undefined */
  data: string | undefined;
  /** at least one */
  organisasjoner: Organisasjonsvalg[];
  porter: Record<keyof typeof FELLESPORTER, number>;
  /** all of them */
  allePorter: Porter;
}

/** @throws Startfeil */
export function lesValg(argumenter: string[], env: NodeJS.ProcessEnv): Valg {
  const { tom, data, organisasjoner } = lesArgumenter(argumenter);
  const navnene = organisasjoner.split(',').map((navn) => navn.trim());
  if (!navnene.every(erOrganisasjonsnavn)) throw new Startfeil(`--organisasjoner: each must be ${NAVNEREGEL}`);
  if (new Set(navnene).size < navnene.length) throw new Startfeil('--organisasjoner: one stands twice');
  const port = (navn: string, standard: number): number => lesPort(navn, env[navn], standard);
  const porter = {
    KAFKA_PORT: port('KAFKA_PORT', FELLESPORTER.KAFKA_PORT),
    ISSUER_PORT: port('ISSUER_PORT', FELLESPORTER.ISSUER_PORT),
  };
  const allePorter: Porter = { ...porter };
  const porterFor = (navn: string, nr: number): Organisasjonsvalg['porter'] => {
    const egen = (variabel: keyof typeof EGNE_PORTER): number => {
      const foerste = port(variabel, EGNE_PORTER[variabel]);
      // The first has the plain variables, and the others follow it unless they are set.
      const sin = nr === 0 ? variabel : `${variabel}_${navn.replaceAll('-', '_').toUpperCase()}`;
      return (allePorter[sin] = nr === 0 ? foerste : port(sin, foerste + nr * AVSTAND));
    };
    return { postgres: egen('POSTGRES_PORT'), queryApi: egen('QUERY_API_PORT'), ingestor: egen('INGESTOR_PORT') };
  };
  return {
    tom,
    // npm runs scripts in the root of the project, whatever directory it was called from.
    data: data === undefined ? undefined : resolve(env['INIT_CWD'] ?? '', data),
    organisasjoner: navnene.map((navn, nr) => ({ navn, porter: porterFor(navn, nr) })),
    porter,
    allePorter,
  };
}

function lesArgumenter(args: string[]): { tom: boolean; data?: string | undefined; organisasjoner: string } {
  try {
    return parseArgs({
      args,
      options: {
        tom: { type: 'boolean', default: false },
        data: { type: 'string' },
        organisasjoner: { type: 'string', default: 'nav' },
      },
    }).values;
  } catch (feil) {
    throw new Startfeil(
      `${feil instanceof Error ? feil.message : String(feil)}. Usage: npm start -- [--tom] [--data DIR] [--organisasjoner NAVN,NAVN…]`,
    );
  }
}

function lesPort(navn: string, tekst: string | undefined, standard: number): number {
  const port = Number(tekst === undefined || tekst === '' ? standard : tekst);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Startfeil(`${navn} must be a port, 1 to 65535`);
  return port;
}

/** @throws Startfeil naming the ports that can't be listened on, and the variables that set them */
export async function krevLedigePorter(porter: Porter): Promise<void> {
  const feil: string[] = [];
  for (const [navn, port] of Object.entries(porter)) {
    const sammeSom = Object.entries(porter).find(([annen, annenPort]) => annenPort === port && annen < navn)?.[0];
    if (sammeSom !== undefined)
      feil.push(`${sammeSom} and ${navn} are both ${String(port)}: set one of them to another port.`);
    else if (!(await portErLedig(port))) {
      feil.push(`Port ${String(port)} is taken. Stop what uses it, or set ${navn} to another port.`);
    }
  }
  if (feil.length > 0) throw new Startfeil(feil.join('\n'));
}
