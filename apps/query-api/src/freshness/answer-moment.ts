import { PROBLEMS, Problem } from '@tiltak/platform';
import { resourcesNeededBy } from './moment.sql.ts';

/**
 * Up to when everything that was published is included in what a request is answered with: the oldest of the moments
 * that were read with it.
 */
export class AnswerMoment {
  private oldestMs = Infinity;

  /**
   * @param ms since 1970, as the statement that reads the data says; null before the first load is done
   * @param text of that statement
   * @throws Problem 503 then: «not found» would mean nothing
   */
  include(ms: number | null, text = ''): void {
    if (ms === null) throw new Problem(PROBLEMS.UTILGJENGELIG, notLoaded(text), { retryAfter: 10 });
    this.oldestMs = Math.min(this.oldestMs, ms);
  }

  /** What was read until now is not what is answered. */
  startOver(): void {
    this.oldestMs = Infinity;
  }

  /** undefined while nothing has been read */
  get value(): Date | undefined {
    return this.oldestMs === Infinity ? undefined : new Date(this.oldestMs);
  }

  /** RFC 3339; undefined while nothing has been read */
  get text(): string | undefined {
    return this.oldestMs === Infinity ? undefined : textOf(this.oldestMs);
  }
}

function notLoaded(text: string): string {
  const resources = resourcesNeededBy(text);
  if (resources.length === 0) return 'The first load of data has not been completed';
  const names = resources.map(({ resource }) => resource.name).join(', ');
  return `The first load of ${names} has not been completed, or the service keeps none: hentFerskhet tells`;
}

/** The last one that was written: it is the same for all that are answered until it moves on. */
let written = { ms: Number.NaN, text: '' };

function textOf(ms: number): string {
  if (written.ms !== ms) written = { ms, text: new Date(ms).toISOString() };
  return written.text;
}
