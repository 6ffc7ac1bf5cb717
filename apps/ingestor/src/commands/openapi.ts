import type { Command } from '@tiltak/platform';
import { printOpenApi } from '../ingestor.ts';

export const openapi: Command = {
  usage: `Usage: node main.cjs openapi

Prints the OpenAPI document. Starts nothing, and needs no settings.
`,
  run: async () => {
    await printOpenApi();
    return 0;
  },
};
