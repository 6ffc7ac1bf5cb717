import type { QueryResultRow } from 'pg';
import type { AvtaleField } from '@tiltak/avtale';
import { requireFields, type Grant } from '../access/grant.ts';
import type { AuditLog, Disclosure } from './audit-log.ts';
import type { Reader } from './reader.ts';
import type { Query } from './statement.ts';

/** What is asked for: held against the grant before anything is read. */
export interface Asked {
  /** of an avtale: what the answer is made of */
  fields: readonly AvtaleField[];
  /** national idents that the request names */
  persons?: readonly string[];
}

/** One statement's look-up, as data: who describes it can't run it. */
export interface Lookup<Row extends QueryResultRow> extends Asked {
  /** Made once the fields are granted: that a cursor can't be used is told to those who may ask. */
  query: () => Query<Row>;
  /** Then the query reads one row more than the page has room for: that one tells that there is a next page. */
  page?: { size: number; cursorAfter: (last: Row) => string };
}

export type Run = <Row extends QueryResultRow>(query: Query<Row>) => Promise<Row[]>;

/** What several statements came to. */
export interface Gathered<Found> {
  found: Found;
  /** undefined when nothing is told of any avtale */
  disclosure: Disclosure | undefined;
  /** Lets go of what was found, when it may not be given. */
  discard?: () => void;
}

/**
 * The one door to what is known of avtaler: the grant is checked, then read, then audited, and only then is anything
 * answered. A refusal is audited too.
 */
export class Lookups {
  constructor(
    private readonly reader: Reader,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Each row with a `deltaker_id` is audited with it.
   *
   * @param shape makes the answer; it gets the rows of the page, and the cursor to the next one if there is one
   * @throws Problem 403 when a field is not granted; 503 when it can't be read, or not be audited
   */
  answer<Row extends QueryResultRow, T>(
    grant: Grant,
    lookup: Lookup<Row>,
    shape: (rows: Row[], next?: string) => T,
  ): Promise<T> {
    const { fields, persons = [], query, page } = lookup;
    return this.answerSteps(
      grant,
      lookup,
      async (run) => {
        const { rows, next } = cut(await run(query()), page);
        const disclosure = { fields, persons, deltakerIds: deltakereIn(rows), hits: rows.length };
        return { found: { rows, next }, disclosure };
      },
      ({ rows, next }) => shape(rows, next),
    );
  }

  /**
   * A look-up of several statements, where a later one may depend on what an earlier one found; audited as one.
   *
   * @param asked the persons are for the audit of a refusal; of an answer, it has those of the disclosure
   * @throws as `answer`
   */
  async answerSteps<Found, T>(
    grant: Grant,
    asked: Asked,
    steps: (run: Run) => Promise<Gathered<Found>>,
    shape: (found: Found) => T | Promise<T>,
  ): Promise<T> {
    await this.requireGranted(grant, asked);
    const { found, disclosure, discard } = await steps((query) => this.reader.query(query));
    try {
      if (disclosure) await this.auditLog.record(grant, disclosure);
    } catch (error) {
      discard?.();
      throw error;
    }
    return shape(found);
  }

  private async requireGranted(grant: Grant, { fields, persons = [] }: Asked): Promise<void> {
    try {
      requireFields(grant, fields);
    } catch (error) {
      await this.auditLog.recordDenial(grant, persons);
      throw error;
    }
  }
}

function cut<Row extends QueryResultRow>(rows: Row[], page: Lookup<Row>['page']): { rows: Row[]; next?: string } {
  if (!page || rows.length <= page.size) return { rows };
  const onPage = rows.slice(0, page.size);
  const last = onPage.at(-1);
  return last ? { rows: onPage, next: page.cursorAfter(last) } : { rows: onPage };
}

/** The opaque ids of those whom rows are about. */
export function deltakereIn(rows: readonly QueryResultRow[]): string[] {
  return rows.flatMap(({ deltaker_id: deltakerId }) => (typeof deltakerId === 'string' ? [deltakerId] : []));
}
