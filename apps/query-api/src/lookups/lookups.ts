import type { QueryResultRow } from 'pg';
import { forbidden, requireFields, type Grant, type GrantedField } from '../access/grant.ts';
import { fieldsReadBy, subsetOf, type AvtaleFilter } from '../avtaler/avtaler.filter.ts';
import { namelessBefore, type Cursors } from '../shared/cursor.ts';
import type { AuditLog, Disclosure } from './audit-log.ts';
import type { AuditRow } from './audit-row.ts';
import type { DenialLog } from './denial-log.ts';
import { HeldRows } from './held-rows.ts';
import { answerWithKinds, narrowed, NARROWED_OPERATIONS } from './narrowed.ts';
import type { Reader, ReadTerms, Told } from './reader.ts';
import { preparedStatement, type Query } from './statement.ts';

/** What is asked for: held against the grant before anything is read. */
export interface Asked {
  /** what the answer is made of; of another resource than avtaler, also what it is searched by */
  fields: readonly GrantedField[];
  /** what it is searched by: that reads fields too, and names persons */
  filter?: AvtaleFilter;
  /** the part of all that is told of, for the audit, where there is no filter of avtaler */
  subset?: Record<string, unknown>;
  /** national idents that the request names beside those of the filter: the key of the operation */
  persons?: readonly string[];
  /** it has no avtaler but of the kinds that the purpose is held to, by what it asks itself */
  isNarrowed?: boolean;
  /** why it is refused whatever the grant is */
  refusal?: string | undefined;
}

/** One statement's look-up, as data: who describes it can't run it. */
export interface Lookup<Row extends QueryResultRow> extends Asked {
  /** @param after where the page before ended, when it is not the first */
  query: (after?: string) => Query<Row>;
  page?: Page<Row>;
}

/** The query then reads one row more than the page has room for: that one tells that there is a next page. */
export interface Page<Row> {
  size: number;
  /** what the cursor, and so the order, tells of */
  orderedBy: readonly GrantedField[];
  /** the cursor that the caller sent; read once the fields are granted: that it can't be used is told to those who may ask */
  next: string | undefined;
  /** all that decides what the pages hold */
  search: unknown;
  endOf: (last: Row) => string;
  /** of a last row that is no part of the answer: all up to there have been looked at, and there may be more after it */
  endedAt?: (row: Row) => string | undefined;
  /** where the next page begins after `endedAt`, so that the cursor tells of no other; of a UUID unless told */
  placeBefore?: (endedAt: string, earlier: string | undefined) => string;
  /** of what `endOf` gives, when it is not a UUID */
  form?: RegExp;
}

export type Run = <Row extends QueryResultRow>(query: Query<Row>) => Promise<Row[]>;

/** What several statements came to. */
export interface Gathered<Found> {
  found: Found;
  /** undefined when nothing is told of any avtale; its fields are those asked for, unless it says otherwise */
  disclosure: (Omit<Disclosure, 'fields'> & Partial<Pick<Disclosure, 'fields'>>) | undefined;
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
    private readonly denialLog: DenialLog,
    private readonly cursors: Cursors,
    private readonly heldRows = new HeldRows(),
  ) {}

  /**
   * Each row with a `deltaker_id` is audited with it.
   *
   * @param shape makes the answer; it gets the rows of the page, and the cursor to the next one if there is one
   * @throws Problem 403 when a field is not granted, also one that is only searched by; 400 for a cursor that can't be
   * used; 503 when it can't be read, or not be audited, or too much is being read
   */
  async answer<Row extends QueryResultRow, T>(
    grant: Grant,
    lookup: Lookup<Row>,
    shape: (rows: Row[], next?: string) => T | Promise<T>,
  ): Promise<T> {
    const { page, filter, subset = filter && subsetTold(grant, filter) } = lookup;
    const fields = fieldsOf(lookup);
    this.requireGranted(grant, fields, lookup);
    // Rows are held until the answer is made of them.
    return this.heldRows.during(grant.konsument, async (count) => {
      const startedAt = this.startOf(grant, page);
      const query = lookup.query(startedAt);
      const told = { fields, ...namedIn(lookup), hits: 0, ...(subset && { subset }) };
      const deltakerId = this.reader.rememberIds();
      const audit = (): Promise<AuditRow> => this.auditLog.rowOf(grant, told, deltakerId);
      const reading = await this.read(
        grant,
        heldTo(grant, lookup, query),
        { count, deltakerId },
        { size: page?.size, audit },
      );
      const { rows, end } = cut(reading.rows, page, startedAt);
      if (!reading.isAudited) {
        const deltakerIds = [...told.deltakerIds, ...deltakereIn(rows)];
        await this.auditLog.record(grant, { ...told, deltakerIds, hits: rows.length }, deltakerId);
      }
      return shape(rows, page && end !== undefined ? this.cursors.encode(searchOf(grant, page), end) : undefined);
    });
  }

  /**
   * A look-up of several statements, where a later one may depend on what an earlier one found; audited as one.
   *
   * @param asked the persons are for the audit of a refusal; of an answer, it has those of the disclosure
   * @throws as `answer`
   */
  async answerSteps<Found, T>(
    grant: Grant,
    asked: Asked & { page?: Pick<Page<never>, 'orderedBy'> },
    steps: (run: Run) => Promise<Gathered<Found>>,
    shape: (found: Found) => T | Promise<T>,
  ): Promise<T> {
    const fields = fieldsOf(asked);
    this.requireGranted(grant, fields, asked);
    // Rows are held until the answer is made of them.
    return this.heldRows.during(grant.konsument, async (count) => {
      const { found, disclosure, discard } = await steps(
        async (query) => (await this.read(grant, heldTo(grant, asked, query), { count })).rows,
      );
      // Nothing needed to be asked: what can't be there is not there, as of now.
      if (!grant.moment.value) await this.read(grant, NOTHING, { count });
      try {
        if (disclosure) {
          const subset = asked.filter && subsetTold(grant, asked.filter);
          await this.auditLog.record(grant, { fields, ...(subset && { subset }), ...disclosure });
        }
      } catch (error) {
        discard?.();
        throw error;
      }
      return shape(found);
    });
  }

  private async read<Row extends QueryResultRow>(
    { konsument, atLeast, moment }: Grant,
    query: Query<Row>,
    terms: Pick<ReadTerms, 'count' | 'deltakerId'>,
    told?: Told,
  ): Promise<{ rows: Row[]; isAudited: boolean }> {
    const reading = await this.reader.readShared(query, { who: konsument, atLeast, ...terms }, told);
    moment.include(reading.updatedToMs, query.statement.text);
    return reading;
  }

  /**
   * Of what is only known once something has been read.
   *
   * @throws Problem 403, which is told of in the audit
   */
  require(grant: Grant, asked: Asked): void {
    this.requireGranted(grant, fieldsOf(asked), { isNarrowed: true, ...asked });
  }

  private requireGranted(grant: Grant, fields: readonly GrantedField[], asked: Asked): void {
    try {
      if (asked.refusal !== undefined) throw forbidden(asked.refusal);
      requireNarrowed(grant, asked);
      requireFields(grant, fields);
    } catch (error) {
      this.denialLog.record(grant, namedIn(asked));
      throw error;
    }
  }

  private startOf<Row>(grant: Grant, page: Page<Row> | undefined): string | undefined {
    if (page?.next === undefined) return undefined;
    return this.cursors.decode(searchOf(grant, page), page.next, page.form);
  }
}

/** @throws Problem 403 for what would tell of avtaler of other kinds than the purpose is held to */
function requireNarrowed({ kinds, operation, behandlingsgrunnlag }: Grant, { isNarrowed }: Asked): void {
  const answer = answerWithKinds(operation);
  if (!kinds || (isNarrowed ? answer !== 'AVVIST' : NARROWED_OPERATIONS.has(operation))) return;
  const only = `behandlingsgrunnlag ${behandlingsgrunnlag} is for ${kinds.published.join(', ')} only`;
  const how = answer === 'BARE_MED_ABONNEMENT' ? ' without abonnement' : '';
  throw forbidden(`${only}, and the operation ${operation}${how} can not be held to that`);
}

/** Whoever forgets that a purpose may be held to some kinds is held to them all the same. */
function heldTo<Row extends QueryResultRow>({ kinds }: Grant, { isNarrowed }: Asked, query: Query<Row>): Query<Row> {
  return kinds && !isNarrowed ? narrowed(query, kinds) : query;
}

/** With the kinds that the search was held to, whether it named any or not. */
function subsetTold({ kinds }: Grant, filter: AvtaleFilter): Record<string, unknown> {
  if (!kinds) return subsetOf(filter);
  const { tiltakstyper: asked } = filter;
  return subsetOf({ ...filter, tiltakstyper: kinds.published.filter((kind) => asked?.includes(kind) ?? true) });
}

const NOTHING: Query<QueryResultRow> = { statement: preparedStatement('select'), values: [] };

/** Those answered with, searched by, and paged by. */
function fieldsOf({ fields, filter = {}, page }: Asked & { page?: Pick<Page<never>, 'orderedBy'> }): GrantedField[] {
  return [...new Set([...fields, ...fieldsReadBy(filter), ...(page?.orderedBy ?? [])])];
}

function namedIn({ persons = [], filter = {} }: Asked): { persons: string[]; deltakerIds: string[] } {
  const { personidenter = [], deltakerId } = filter;
  return { persons: [...persons, ...personidenter], deltakerIds: deltakerId === undefined ? [] : [deltakerId] };
}

/** A cursor is of use to the one who got it, and for what it was given for. */
function searchOf<Row>({ konsument, operation }: Grant, { search }: Page<Row>): unknown {
  return [konsument, operation, search];
}

/** The rows of the page, and where it ended when there may be more after it. */
function cut<Row extends QueryResultRow>(
  read: Row[],
  page: Page<Row> | undefined,
  startedAt: string | undefined,
): { rows: Row[]; end?: string } {
  if (!page) return { rows: read };
  const lastRead = read.at(-1);
  const endedAt = lastRead && page.endedAt?.(lastRead);
  const rows = endedAt === undefined ? read : read.slice(0, -1);
  const onPage = rows.slice(0, page.size);
  const last = onPage.at(-1);
  if (last && rows.length > page.size) return { rows: onPage, end: page.endOf(last) };
  return endedAt === undefined
    ? { rows }
    : { rows, end: (page.placeBefore ?? namelessBefore)(endedAt, last ? page.endOf(last) : startedAt) };
}

/** The opaque ids of those whom rows are about. */
export function deltakereIn(rows: readonly QueryResultRow[]): string[] {
  return rows.flatMap(({ deltaker_id: deltakerId }) => (typeof deltakerId === 'string' ? [deltakerId] : []));
}
