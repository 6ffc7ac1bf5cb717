import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { UsageError, type Command } from '@tiltak/platform';
import { Archive } from '../audit/archive.ts';
import { FIRST_DAY, LAST_DAY, readSeen } from '../audit/read-seen.ts';
import { readKonsumenterFile, readProductsFile } from '../config.ts';
import { readAskers } from '../insight/askers.ts';
import { insightJson } from '../insight/json.ts';
import { insightPdfOf } from '../insight/pdf.ts';
import { insightOf, Summary } from '../insight/report.ts';
import { connectAsAuditor, readDays, readPerson, readReason } from './auditor.ts';

/** What a person is given who asks who has looked them up. */
export const insight: Command = {
  usage: `Usage: npm run drift -- innsyn [options], in the image node main.cjs innsyn [options]

Writes a report for a person, in plain Norwegian: who has looked up what of them, when, how often, for what and by which
rule, and what is not known. Reads DB_* of a login in datadeling_revisor, ORGANISASJON, and the registry in KONSUMENTER_FIL,
whose visningsnavn, formaal and rettsgrunnlag it tells; where ANALYSE_FIL is set, also those of products for analysis.

  --person ID       whose it is: the opaque id (deltakerId), or - to read a national ident from standard input, which needs
                    DELTAKER_ID_NOEKKEL
  --begrunnelse T   why the audit is read, 10 to 1,000 characters: audited before anything is written
  --til-fil FILE    where the report goes: a PDF when the name ends in .pdf, JSON when it ends in .json. Nothing that is
                    there is overwritten, and what fails on the way leaves nothing
  --fra YYYY-MM-DD  first day, UTC, included
  --til YYYY-MM-DD  last day, included
  --arkiv DIR       also the months that are in files there, and not in the database any more. A month
                    that has left and is in none is an error; one that went without a file is told of in the report

Exit code: 0, or 2 when it could not be written.
`,
  run: async (args) => {
    const options = readOptions(args);
    const askers = readAskers(readKonsumenterFile(), readProductsFile());
    const person = await readPerson(options.person);
    const { db, organisasjon } = connectAsAuditor();
    try {
      const archive = options.arkiv === undefined ? undefined : new Archive(options.arkiv, organisasjon);
      const { fra, til, reason, isPdf } = options;
      // What can't be made is not read.
      requireFree(options.file);
      const what = isPdf ? 'INNSYN_PDF' : 'INNSYN_JSON';
      const reading = { who: userInfo().username, what, reason, person, fra, til } as const;
      const { lost, each, byDay } = await readSeen(db, reading, { archive });
      const summary = new Summary(askers);
      const of = insightOf(reading, { organisasjon, lost });
      const content = isPdf
        ? await insightPdfOf(byDay(), summary, of)
        : Readable.from(insightJson(each(), summary, of));
      await writeWhole(options.file, content);
      return 0;
    } finally {
      await db.end();
    }
  },
};

/** @throws UsageError */
function requireFree(file: string): void {
  if (existsSync(file)) throw new UsageError('--til-fil is there already');
}

/** It bears its name when all of it is there. What failed goes: it is of a person too. */
async function writeWhole(file: string, content: Readable): Promise<void> {
  const unfinished = `${file}.uferdig`;
  await rm(unfinished, { force: true });
  try {
    await pipeline(content, createWriteStream(unfinished, { flags: 'wx', mode: 0o600 }));
    requireFree(file);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

interface Options {
  person: string;
  reason: string;
  file: string;
  isPdf: boolean;
  fra: string;
  til: string;
  arkiv: string | undefined;
}

/** @throws UsageError */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      person: { type: 'string' },
      begrunnelse: { type: 'string' },
      'til-fil': { type: 'string' },
      fra: { type: 'string', default: FIRST_DAY },
      til: { type: 'string', default: LAST_DAY },
      arkiv: { type: 'string' },
    },
  });
  const { person, begrunnelse, 'til-fil': file = '', arkiv } = values;
  if (person === undefined) throw new UsageError('--person is missing');
  if (!/\.(pdf|json)$/.test(file)) throw new UsageError('--til-fil must be a file whose name ends in .pdf or .json');
  const reason = readReason(begrunnelse);
  return { ...readDays(values.fra, values.til), person, reason, file, isPdf: file.endsWith('.pdf'), arkiv };
}
