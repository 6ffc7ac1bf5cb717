import type { Command } from '@tiltak/platform';
import { printCatalogue } from '../query-api.ts';

export const catalogue: Command = {
  usage: `Usage: node main.cjs katalog

Prints the documents of the catalogue, as JSON by their names. Starts nothing, and needs no settings.
`,
  run: async () => {
    await printCatalogue();
    return 0;
  },
};
