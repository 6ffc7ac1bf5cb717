import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { portErLedig } from '@tiltak/testing';

/** Said to whoever starts the stack, without a stack trace. */
export class Startfeil extends Error {}

const STANDARDPORTER = {
  KAFKA_PORT: 19_092,
  POSTGRES_PORT: 15_432,
  ISSUER_PORT: 8_090,
  QUERY_API_PORT: 3_000,
  INGESTOR_PORT: 3_001,
};

type Porter = Record<keyof typeof STANDARDPORTER, number>;

export interface Valg {
  /** without sample data */
  tom: boolean;
  /** absolute path of what to keep; nothing is kept when undefined */
  data: string | undefined;
  organisasjon: string;
  porter: Porter;
}

/** @throws Startfeil */
export function lesValg(argumenter: string[], env: NodeJS.ProcessEnv): Valg {
  const { tom, data, organisasjon } = lesArgumenter(argumenter);
  if (!/^[a-z][a-z0-9-]{0,20}$/.test(organisasjon)) {
    throw new Startfeil(
      '--organisasjon must be lower case letters, digits and hyphens, beginning with a letter, 21 characters at most',
    );
  }
  const porter = Object.entries(STANDARDPORTER).map(([navn, standard]) => [navn, lesPort(navn, env[navn], standard)]);
  return {
    tom,
    // npm runs scripts in the root of the project, whatever directory it was called from.
    data: data === undefined ? undefined : resolve(env['INIT_CWD'] ?? '', data),
    organisasjon,
    porter: Object.fromEntries(porter) as Porter,
  };
}

function lesArgumenter(args: string[]): { tom: boolean; data?: string | undefined; organisasjon: string } {
  try {
    return parseArgs({
      args,
      options: {
        tom: { type: 'boolean', default: false },
        data: { type: 'string' },
        organisasjon: { type: 'string', default: 'nav' },
      },
    }).values;
  } catch (feil) {
    throw new Startfeil(
      `${feil instanceof Error ? feil.message : String(feil)}. Usage: npm start -- [--tom] [--data DIR] [--organisasjon NAVN]`,
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
