import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Said to whoever runs this, without a stack trace. */
export class SimulateUsageError extends Error {}

const USAGE =
  'Usage: npm run simuler -- --antall N [--seed S] [--gift], or --fil X.jsonl; and [--takt M] [--topic T] [--tilstand FIL.json | --identer]';

/** Where the local stack is, when it is running. */
export interface Stack {
  kafka: string;
  topic: string;
  /** of the person register, when the stack reads one */
  identTopic?: string | undefined;
}

export interface SimulateOptions {
  brokers: string[];
  topic: string;
  /** publish what a person register says of the participants of the source, instead of its messages */
  identer: boolean;
  source: { file: string } | { count: number; seed: number; poison: boolean };
  /** messages per second; undefined: as fast as it goes */
  pace: number | undefined;
  /** absolute path of where to write what the messages come to */
  state: string | undefined;
}

/** @throws UsageError naming the argument at fault */
export function readOptions(args: string[], env: NodeJS.ProcessEnv, stack: Stack | undefined): SimulateOptions {
  const given = readArguments(args);
  // npm runs scripts in the root of the project, whatever directory it was called from.
  const path = (file: string): string => resolve(env['INIT_CWD'] ?? '', file);
  const source = readSource(given, path);
  const pace = given.takt === undefined ? undefined : integer('--takt', given.takt, 1);
  const brokers = env['KAFKA_BROKERS'] || stack?.kafka;
  const identer = given.identer ?? false;
  if (identer && given.tilstand !== undefined) {
    throw new SimulateUsageError('--tilstand has no meaning with --identer, which says nothing of avtaler.');
  }
  const topic = given.topic ?? (identer ? stack?.identTopic : stack?.topic);
  if (identer && stack && topic === undefined) {
    throw new SimulateUsageError('The local stack reads no person register (identTopic): set --topic.');
  }
  if (!brokers || !topic) {
    throw new SimulateUsageError(
      'The local stack is not running: start it with npm start, or set KAFKA_BROKERS and --topic.',
    );
  }
  return {
    brokers: brokers.split(','),
    topic,
    identer,
    source,
    pace,
    state: given.tilstand === undefined ? undefined : path(given.tilstand),
  };
}

function readSource(
  { antall: count, fil: file, seed, gift: poison }: Given,
  path: (file: string) => string,
): SimulateOptions['source'] {
  if (file !== undefined) {
    const superfluous = [count !== undefined && '--antall', seed !== undefined && '--seed', poison && '--gift'].find(
      Boolean,
    );
    if (superfluous)
      throw new SimulateUsageError(`${superfluous} has no meaning with --fil, which publishes a file as it is.`);
    if (!existsSync(path(file))) throw new SimulateUsageError(`--fil: there is no file ${file}.`);
    return { file: path(file) };
  }
  if (count === undefined) throw new SimulateUsageError(`--antall or --fil is missing. ${USAGE}`);
  return {
    count: integer('--antall', count, 1),
    seed: seed === undefined ? 1 : integer('--seed', seed, 0),
    poison: poison ?? false,
  };
}

type Given = ReturnType<typeof interpret>['values'];

function readArguments(args: string[]): Given {
  try {
    return interpret(args).values;
  } catch (error) {
    throw new SimulateUsageError(`${error instanceof Error ? error.message : String(error)}. ${USAGE}`);
  }
}

const interpret = (args: string[]) =>
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
      identer: { type: 'boolean' },
    },
  });

function integer(name: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least) return number;
  throw new SimulateUsageError(`${name} must be a whole number from ${String(least)} to 999999999, not "${text}".`);
}
