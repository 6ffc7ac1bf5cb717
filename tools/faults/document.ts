import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '@tiltak/testing';
import { FAULTS, type Fault } from './catalogue.ts';

const PAGE = join(ROOT, 'docs', 'faults.md');
const RESULTS = join(ROOT, 'tools', 'faults', 'results.json');

/** How a fault's test went the last time that it ran. */
export interface FaultResult {
  passed: boolean;
  /** YYYY-MM-DD */
  on: string;
  /** ms until all was there again; only where the test measures it */
  backAfterMs?: number;
}

/** By `keyOf`. */
export type FaultResults = Record<string, FaultResult>;

export const keyOf = ({ file, test }: Pick<Fault, 'file' | 'test'>): string => `${file}: ${test}`;

export function readResults(): FaultResults {
  return existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as FaultResults) : {};
}

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

/** Keeps the results of faults that are in the catalogue, and writes the page anew. */
export async function writeResults(results: FaultResults): Promise<void> {
  const kept = FAULTS.flatMap((fault) => {
    const result = results[keyOf(fault)];
    return result ? [[keyOf(fault), result] as const] : [];
  });
  writeFileSync(RESULTS, await formatted(JSON.stringify(Object.fromEntries(kept)), RESULTS));
  writeFileSync(PAGE, await faultPage());
}

/** The page as it should be. */
export async function faultPage(results: FaultResults = readResults()): Promise<string> {
  const header = ['fault', 'what is done', 'what must hold', 'test', 'last result', 'back after'];
  const rows = FAULTS.map((fault) => {
    const result = results[keyOf(fault)];
    const went = result ? `${result.passed ? 'held' : '**did not hold**'} ${result.on}` : 'not run';
    const back = result?.backAfterMs === undefined ? '' : `${(result.backAfterMs / 1_000).toFixed(1)} s`;
    return [fault.fault, fault.done, fault.holds, `\`${fault.file}\`: «${fault.test}»`, went, back];
  });
  const lines = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`);
  return formatted(`${INTRODUCTION}\n${lines.join('\n')}\n`, PAGE);
}

const INTRODUCTION = `# Faults

What may go wrong, and what holds all the same. Made by \`npm run test:feil\`, which tries each of them; a new one is an entry in \`tools/faults/catalogue.ts\`. How long it took to come back is measured on a shared machine, with Kafka, three Postgres and the apps on two cores: it tells that something comes back by itself, and not how fast it would elsewhere. Random sequences of faults: \`npm run test:fuzz\`.

`;

const cell = (text: string): string => text.replaceAll('|', '\\|');

async function formatted(text: string, file: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}
