import { parseChange } from './control.ts';
import { running, type ReadyOrganisasjon } from './ready-file.ts';

/** `npm run stack`: what runs; with a change, that it happens first. */
const USAGE =
  'Usage: npm run stack -- [organisasjon] [query-api +N | query-api -N | ingestor +N | ingestor -N | promoter | promoter stille]';

async function run(args: string[]): Promise<void> {
  const isChange = parseChange(args) !== undefined;
  const [name, words] = args.length === 0 || isChange ? [undefined, args] : [args[0], args.slice(1)];
  if (words.length > 0 && !parseChange(words)) throw new Error(USAGE);
  const found = running(name);
  if (words.length > 0) {
    const response = await fetch(`${found.ready.control}${[found.navn, ...words].join('/')}`, { method: 'POST' });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    console.log(text);
  }
  console.log(table(running(found.navn).organisasjon));
}

const table = ({ processes }: ReadyOrganisasjon): string =>
  processes
    .map(({ name, port, pid }) => `${name.padEnd(10)} 127.0.0.1:${String(port)}  process ${String(pid)}`)
    .join('\n');

try {
  await run(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
