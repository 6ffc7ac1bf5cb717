import { oppslag } from './oppslag.ts';
import { relasjoner } from './relasjoner.ts';

/** `npm run drift -- <command>`: for those who run it. Each command says what it found, and ends with its exit code. */
const KOMMANDOER: Record<string, (argumenter: string[]) => Promise<number>> = { oppslag, relasjoner };

const [navn = '', ...argumenter] = process.argv.slice(2);
const kommando = KOMMANDOER[navn];
if (kommando) {
  process.exitCode = await kommando(argumenter);
} else {
  console.error(`Usage: npm run drift -- <${Object.keys(KOMMANDOER).join('|')}>`);
  process.exitCode = 2;
}
