import type { Command } from './command.ts';
import { toMarkdown, type Variable } from './config.ts';

type Schema = Record<string, Variable<unknown>>;

/**
 * The variables that an app reads, as a page: `node main.cjs innstillinger`.
 *
 * @param others what those of its commands read that are processes of their own
 */
export function settingsCommand(app: string, schema: Schema, others: Record<string, Schema> = {}): Command {
  return {
    usage: `Usage: node main.cjs innstillinger

Prints the settings, which are environment variables, as a table. Starts nothing, and needs none of them.
`,
    run: () => {
      const more = Object.entries(others).map(
        ([command, own]) => `\n## Of \`main.cjs ${command}\`\n\n${toMarkdown(own)}`,
      );
      process.stdout.write(
        `# Settings of the ${app}\n\nMade by \`npm run openapi\`.\n\n${toMarkdown(schema)}${more.join('')}`,
      );
      return Promise.resolve(0);
    },
  };
}
