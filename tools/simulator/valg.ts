import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Said to whoever runs this, without a stack trace. */
export class Bruksfeil extends Error {}

const BRUK =
  'Usage: npm run simuler -- --antall N [--seed S] [--gift], or --fil X.jsonl; and [--takt M] [--topic T] [--tilstand FIL.json]';

/** Where the local stack is, when it is running. */
export interface Stabel {
  kafka: string;
  topic: string;
}

export interface Valg {
  brokers: string[];
  topic: string;
  kilde: { fil: string } | { antall: number; seed: number; gift: boolean };
  /** messages per second; undefined: as fast as it goes */
  takt: number | undefined;
  /** absolute path of where to write what the messages come to */
  tilstand: string | undefined;
}

/** @throws Bruksfeil naming the argument at fault */
export function lesValg(argumenter: string[], env: NodeJS.ProcessEnv, stabel: Stabel | undefined): Valg {
  const gitt = lesArgumenter(argumenter);
  // npm runs scripts in the root of the project, whatever directory it was called from.
  const sti = (fil: string): string => resolve(env['INIT_CWD'] ?? '', fil);
  const kilde = lesKilde(gitt, sti);
  const takt = gitt.takt === undefined ? undefined : heltall('--takt', gitt.takt, 1);
  const brokers = env['KAFKA_BROKERS'] || stabel?.kafka;
  const topic = gitt.topic ?? stabel?.topic;
  if (!brokers || !topic) {
    throw new Bruksfeil('The local stack is not running: start it with npm start, or set KAFKA_BROKERS and --topic.');
  }
  return {
    brokers: brokers.split(','),
    topic,
    kilde,
    takt,
    tilstand: gitt.tilstand === undefined ? undefined : sti(gitt.tilstand),
  };
}

function lesKilde({ antall, fil, seed, gift }: Gitt, sti: (fil: string) => string): Valg['kilde'] {
  if (fil !== undefined) {
    const overflodig = [antall !== undefined && '--antall', seed !== undefined && '--seed', gift && '--gift'].find(
      Boolean,
    );
    if (overflodig) throw new Bruksfeil(`${overflodig} has no meaning with --fil, which publishes a file as it is.`);
    if (!existsSync(sti(fil))) throw new Bruksfeil(`--fil: there is no file ${fil}.`);
    return { fil: sti(fil) };
  }
  if (antall === undefined) throw new Bruksfeil(`--antall or --fil is missing. ${BRUK}`);
  return {
    antall: heltall('--antall', antall, 1),
    seed: seed === undefined ? 1 : heltall('--seed', seed, 0),
    gift: gift ?? false,
  };
}

type Gitt = ReturnType<typeof tolk>['values'];

function lesArgumenter(args: string[]): Gitt {
  try {
    return tolk(args).values;
  } catch (feil) {
    throw new Bruksfeil(`${feil instanceof Error ? feil.message : String(feil)}. ${BRUK}`);
  }
}

const tolk = (args: string[]) =>
  parseArgs({
    args,
    options: {
      antall: { type: 'string' },
      takt: { type: 'string' },
      seed: { type: 'string' },
      fil: { type: 'string' },
      gift: { type: 'boolean' },
      topic: { type: 'string' },
      tilstand: { type: 'string' },
    },
  });

function heltall(navn: string, tekst: string, minst: number): number {
  const tall = Number(tekst);
  if (/^\d{1,9}$/.test(tekst) && tall >= minst) return tall;
  throw new Bruksfeil(`${navn} must be a whole number from ${String(minst)} to 999999999, not "${tekst}".`);
}
