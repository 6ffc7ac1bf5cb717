import 'reflect-metadata';
import { runApp, runCommand, settingsCommand } from '@tiltak/platform';
import { asyncapi } from './commands/asyncapi.ts';
import { avstem } from './commands/avstem.ts';
import { migrate } from './commands/migrate.ts';
import { openapi } from './commands/openapi.ts';
import { relations } from './commands/relations.ts';
import { retention } from './commands/retention.ts';
import { SCHEMA, readConfig } from './config.ts';
import { createIngestor, startIngestor } from './ingestor.ts';

/** `node main.cjs <name> [options]`; without a name it is the ingestor that starts. */
const COMMANDS = {
  relasjoner: relations,
  rydding: retention,
  avstem,
  migrer: migrate,
  openapi,
  asyncapi,
  innstillinger: settingsCommand('ingestor', SCHEMA),
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined) void runApp(() => startIngestor(createIngestor(readConfig())));
else void runCommand(COMMANDS, name, args);
