import { auditReport } from './oppslag.ts';
import { relations } from './relasjoner.ts';

/** `npm run drift -- <command>`: for those who run it. Each command says what it found, and ends with its exit code. */
const COMMANDS: Record<string, (args: string[]) => Promise<number>> = { oppslag: auditReport, relasjoner: relations };

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (command) {
  process.exitCode = await command(args);
} else {
  console.error(`Usage: npm run drift -- <${Object.keys(COMMANDS).join('|')}>`);
  process.exitCode = 2;
}
