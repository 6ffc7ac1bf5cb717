import 'reflect-metadata';
import { runApp, runCommand } from '@tiltak/platform';
import { auditReport } from './commands/audit-report.ts';
import { catalogue } from './commands/catalogue.ts';
import { openapi } from './commands/openapi.ts';
import { readConfig } from './config.ts';
import { startQueryApi } from './query-api.ts';

/** `node main.cjs <name> [options]`; without a name it is the query-api that starts. */
const COMMANDS = { oppslag: auditReport, openapi, katalog: catalogue };

const [name, ...args] = process.argv.slice(2);
if (name === undefined) void runApp(() => startQueryApi(readConfig()));
else void runCommand(COMMANDS, name, args);
