import type { Command } from '@tiltak/platform';
import { printAsyncApi } from '../ingestor.ts';

export const asyncapi: Command = {
  usage: `Usage: node main.cjs asyncapi

Prints the AsyncAPI document of the topics. Starts nothing, and needs no settings.
`,
  run: async () => {
    await printAsyncApi();
    return 0;
  },
};
