import { Readable } from 'node:stream';
import { isTransient, type DeltakerId } from '@tiltak/database';
import { logger, PROBLEMS, Problem, type FieldError } from '@tiltak/platform';
import type { Pool } from 'pg';
import { ArchiveError } from '../audit/archive-file.ts';
import { Archive } from '../audit/archive.ts';
import { faultOfReason, FIRST_DAY, isDay, LAST_DAY, readSeen } from '../audit/read-seen.ts';
import type { Reading } from '../audit/reading.ts';
import { readAskers, type Askers } from '../insight/askers.ts';
import { insightJson } from '../insight/json.ts';
import { insightPdfOf } from '../insight/pdf.ts';
import { insightOf, Summary } from '../insight/report.ts';
import type { AskDto, AskReportDto, AskSeenDto, SeenAnswerDto } from './seen.dto.ts';
import { MOST_LOOKUPS, Tally } from './tally.ts';

interface Given {
  db: Pool;
  organisasjon: string;
  deltakerId: DeltakerId;
  /** path of the registry of consumers */
  registry: string;
  /** and of the products for analysis */
  products: string | undefined;
  /** of the months that have left the database */
  archive: string | undefined;
}

/** Who has seen a person, for auditors: as the commands tell it. */
export class SeenReader {
  private askers: Askers;

  /** @throws StartupError when the registry, or the products, can't be used */
  constructor(private readonly given: Given) {
    this.askers = readAskers(given.registry, given.products);
  }

  /** @throws Problem 400, 409, 503 */
  async seen(asked: AskSeenDto, who: Pick<Reading, 'who' | 'callId'>): Promise<SeenAnswerDto> {
    const reading = this.readingOf(asked, { ...who, what: 'OPPSLAG_PERSON' });
    return this.explained(async () => {
      const { lost, inSum } = await this.read(reading, asked.konsument);
      const tally = new Tally(this.currentAskers());
      for await (const row of inSum(MOST_LOOKUPS)) tally.add(row);
      const unknown = lost.map(({ maaned, isFirst }) => ({ maaned, ogTidligere: isFirst }));
      return { deltakerId: reading.person, ...tally.result(), ukjenteMaaneder: unknown };
    });
  }

  /** The report that a person is given. @throws Problem 400, 409, 503 */
  async report({ form, ...asked }: AskReportDto, who: Pick<Reading, 'who' | 'callId'>): Promise<Readable> {
    const reading = this.readingOf(asked, { ...who, what: `INNSYN_${form}` });
    return this.explained(async () => {
      const { lost, each, byDay } = await this.read(reading);
      const summary = new Summary(this.currentAskers());
      const of = insightOf(reading, { organisasjon: this.given.organisasjon, lost });
      return form === 'PDF' ? insightPdfOf(byDay(), summary, of) : Readable.from(insightJson(each(), summary, of));
    });
  }

  private read(reading: Reading, konsument?: string): ReturnType<typeof readSeen> {
    const { db, organisasjon, archive } = this.given;
    // Opened each time: files come to it while this runs.
    const files = archive === undefined ? undefined : new Archive(archive, organisasjon);
    return readSeen(db, reading, { konsument, archive: files });
  }

  /** @throws Problem 400 */
  private readingOf(
    { person, begrunnelse, fra = FIRST_DAY, til = LAST_DAY }: AskDto,
    who: Pick<Reading, 'who' | 'callId' | 'what'>,
  ): Reading {
    const reason = begrunnelse.trim();
    const fault = faultOfReason(reason);
    const errors: FieldError[] = [
      ...(fault === undefined ? [] : [{ felt: 'begrunnelse', melding: fault }]),
      ...(isDay(fra) ? [] : [{ felt: 'fra', melding: 'must be a day, YYYY-MM-DD' }]),
      ...(isDay(til) ? [] : [{ felt: 'til', melding: 'must be a day, YYYY-MM-DD' }]),
      ...(til < fra ? [{ felt: 'til', melding: 'must not be before fra' }] : []),
    ];
    if (errors.length > 0)
      throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid', { feil: errors });
    return { ...who, reason, person: person.length === 11 ? this.given.deltakerId(person) : person, fra, til };
  }

  /** As it is now: consumers come and go while this runs. One that can't be used changes nothing. */
  private currentAskers(): Askers {
    try {
      this.askers = readAskers(this.given.registry, this.given.products);
    } catch (error) {
      logger.warn(
        { err: error },
        'The registry of consumers, or the products for analysis, can not be used; those from before are',
      );
    }
    return this.askers;
  }

  /** What kept it from being read, in words that name nobody. */
  private async explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ArchiveError) throw new Problem(PROBLEMS.KONFLIKT, error.message, { cause: error });
      if (!isTransient(error)) throw error;
      logger.warn({ err: error }, 'The database could not answer');
      throw new Problem(PROBLEMS.UTILGJENGELIG, 'The database could not answer in time', {
        retryAfter: 5,
        cause: error,
      });
    }
  }
}
