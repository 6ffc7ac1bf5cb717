import { runApp, type Command } from '@tiltak/platform';
import { startAuditorPage } from '../auditor-page/auditor-page.ts';
import { readRevisorConfig } from '../config.ts';

/** The page on which auditors ask who has seen a person. */
export const auditorPage: Command = {
  usage: `Usage: node main.cjs revisor

Serves the page /revisor, for people who may read who has seen a person, each time for a reason that is kept first. A process
of its own, until it is told to stop. Reads DB_* of a login in datadeling_revisor, ORGANISASJON, DELTAKER_ID_NOEKKEL, the
registry in KONSUMENTER_FIL, AZURE_* of an application of its own, and REVISOR_GRUPPER.
`,
  run: async () => {
    // Ends the process itself, also when it could not start.
    await runApp(() => startAuditorPage(readRevisorConfig()));
    return 0;
  },
};
