import { isNativeError } from 'node:util/types';
import { flushLogger, logger, logNodeWarnings, maskIdents } from './logger.ts';

/** What an app does beside serving: `node main.cjs <name> [options]`. */
export interface Command {
  /** What `--hjelp` prints. The first line says how it is called. */
  usage: string;
  /** @returns the exit code */
  run: (args: string[]) => Promise<number>;
  /** The platform runs it, and nobody reads what it says but in the logs. */
  isJob?: true;
}

/** The options are wrong, or don't fit together. */
export class UsageError extends Error {}

/**
 * Runs one of an app's commands, and ends the process with its exit code: 2 when what was asked for could not be found
 * out, with a line that says why.
 */
export async function runCommand(
  commands: Readonly<Record<string, Command>>,
  name: string,
  args: string[],
): Promise<void> {
  const command = commands[name];
  if (!command) return failInText(`There is no command ${name}, only: ${Object.keys(commands).join(', ')}.`);
  process.stdout.off('error', endWithReader).on('error', endWithReader);
  if (args.includes('--hjelp')) {
    process.stdout.write(command.usage);
    return;
  }
  if (command.isJob) logNodeWarnings();
  const fail = command.isJob ? failInLog : failInText;
  try {
    process.exitCode = await command.run(args);
  } catch (error) {
    const [howTo = ''] = command.usage.split('\n');
    fail(isUsageError(error) ? `${firstSentence(error.message)} ${howTo}; --hjelp lists them.` : describe(error));
  }
}

/** Who reads what is printed may have had enough, as `head` has: nothing is left to do, and nothing went wrong. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}

/** Those of parseArgs, too. */
function isUsageError(error: unknown): error is Error {
  if (!isNativeError(error)) return false;
  return error instanceof UsageError || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
}

/** parseArgs goes on to explain what Node's conventions are. */
function firstSentence(text: string): string {
  const [sentence = ''] = text.split(/\.\s/);
  return sentence.endsWith('.') ? sentence : `${sentence}.`;
}

/** Several attempts to connect that all failed have no message of their own. */
function describe(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}

function failInText(text: string): void {
  process.stderr.write(`${maskIdents(text)}\n`);
  process.exitCode = 2;
}

function failInLog(text: string): void {
  for (const line of text.split('\n')) logger.fatal(line);
  flushLogger();
  process.exitCode = 2;
}
