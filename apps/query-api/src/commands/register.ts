import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UsageError, type Command } from '@tiltak/platform';
import { stringify } from 'yaml';
import { parseKonsumenter, readRegistry } from '../access/konsumenter.ts';
import { readProducts } from '../analysis/products.ts';
import { readCoverage } from '../coverage/coverage.ts';

/** What the query-api's files are mounted from: validated by the code that reads them. */
export const register: Command = {
  usage: `Usage: node main.cjs register --organisasjon NAME --konsumenter FILE [--dekning FILE] [--analyse FILE]

Validates an organisation's registry of consumers, what it says of the kinds of measure it knows, and its products for
analysis, as the query-api does that reads them; prints the config map that they are mounted from. Needs no settings.

Exit code: 0, or 2 when one can't be used, with a line for each place that is wrong.
`,
  run: (args) => {
    const { organisasjon, konsumenter, dekning, analyse } = readOptions(args);
    process.stdout.write(configMap(organisasjon, konsumenter, dekning, analyse));
    return Promise.resolve(0);
  },
};

/** @throws UsageError */
function readOptions(args: string[]): {
  organisasjon: string;
  konsumenter: string;
  dekning: string | undefined;
  analyse: string | undefined;
} {
  const { values } = parseArgs({
    args,
    options: {
      organisasjon: { type: 'string' },
      konsumenter: { type: 'string' },
      dekning: { type: 'string' },
      analyse: { type: 'string' },
    },
  });
  const { organisasjon, konsumenter, dekning, analyse } = values;
  if (organisasjon === undefined) throw new UsageError('--organisasjon is missing');
  if (konsumenter === undefined) throw new UsageError('--konsumenter is missing');
  return { organisasjon, konsumenter, dekning, analyse };
}

/**
 * @param konsumenter path, and so are `dekning` and `analyse`
 * @throws InvalidRegistryError, StartupError
 */
export function configMap(organisasjon: string, konsumenter: string, dekning?: string, analyse?: string): string {
  const registry = readRegistry(konsumenter);
  parseKonsumenter(konsumenter, registry);
  readCoverage(dekning);
  if (analyse !== undefined) readProducts(analyse);
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      // As the manifest of the query-api names it.
      name: `tiltak-datadeling-${organisasjon}-konsumenter`,
      namespace: 'tiltak',
      labels: { team: 'tiltak' },
    },
    data: {
      'konsumenter.yaml': registry,
      ...(dekning === undefined ? {} : { 'dekning.yaml': readFileSync(dekning, 'utf8') }),
      ...(analyse === undefined ? {} : { 'analyse.yaml': readFileSync(analyse, 'utf8') }),
    },
  };
  // Files as they are, and not folded.
  return stringify(manifest, { lineWidth: 0 });
}
