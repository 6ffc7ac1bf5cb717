import type { Command } from './command.ts';
import { toMarkdown, type Variable } from './config.ts';

/** The variables that an app reads, as a page: `node main.cjs innstillinger`. */
export function settingsCommand(app: string, schema: Record<string, Variable<unknown>>): Command {
  return {
    usage: `Usage: node main.cjs innstillinger

Prints the settings, which are environment variables, as a table. Starts nothing, and needs none of them.
`,
    run: () => {
      process.stdout.write(`# Settings of the ${app}\n\nMade by \`npm run openapi\`.\n\n${toMarkdown(schema)}`);
      return Promise.resolve(0);
    },
  };
}
