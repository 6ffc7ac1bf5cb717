import 'reflect-metadata';
import { runApp, runCommand, settingsCommand } from '@tiltak/platform';
import { analyse } from './commands/analyse.ts';
import { archive } from './commands/archive.ts';
import { auditorPage } from './commands/auditor-page.ts';
import { auditReport } from './commands/audit-report.ts';
import { catalogue } from './commands/catalogue.ts';
import { insight } from './commands/insight.ts';
import { openapi } from './commands/openapi.ts';
import { register } from './commands/register.ts';
import { REVISOR_SCHEMA, SCHEMA, readConfig } from './config.ts';
import { startQueryApi } from './query-api.ts';

/** `node main.cjs <name> [options]`; without a name it is the query-api that starts. */
const COMMANDS = {
  oppslag: auditReport,
  innsyn: insight,
  arkiv: archive,
  revisor: auditorPage,
  analyse,
  register,
  openapi,
  katalog: catalogue,
  innstillinger: settingsCommand('query-api', SCHEMA, { revisor: REVISOR_SCHEMA }),
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined) void runApp(() => startQueryApi(readConfig()));
else void runCommand(COMMANDS, name, args);
