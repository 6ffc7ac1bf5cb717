import { pipeline, Transform, type Readable } from 'node:stream';
import { PROBLEMS, logger, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { to as copyTo, type CopyToStreamQuery } from 'pg-copy-streams';
import type { AvtaleField } from '@tiltak/avtale';
import { columnsFor, type Member } from '../avtaler/avtaler.fields.ts';
import { asUnavailable, jsonTypeOf } from '../lookups/reader.ts';
import { atOnceProblem } from '../access/consumer-limits.ts';
import { AVTALER_FEED, beginningOf, toFeedEnd, type Feed } from '../changes/changes.queries.ts';
import { encodePosition } from '../changes/feed-position.ts';
import { momentSqlFor } from '../freshness/moment.sql.ts';
import type { KindsHeldTo } from '../access/grant.ts';
import { narrowedText } from '../lookups/narrowed.ts';
import type { SpreadPool } from '../replicas/spread-pool.ts';
import type { Shares } from '../shared/shares.ts';
import { avtalerOf, nowQuery, type NowRow, type SubscriptionName } from '../subscriptions/subscription-feed.queries.ts';
import { noSuchSubscription, placeNow } from '../subscriptions/subscription-place.ts';
import type { EksporthodeDto } from './export.dto.ts';
import { createLineWriter, plainLineWriter, type Column, type LineWriter } from './line-writer.ts';

export interface ExportStream {
  /** lines after the first */
  count: number;
  /** of the snapshot, in the change feed */
  position: string;
  /** everything up to then is in the snapshot, ms since 1970; null before the first load is done */
  updatedToMs: number | null;
  /** bytes */
  lines: Readable;
}

/** One takes a minute for each million avtaler and slow reader, and rarely an hour. */
export const EXPORT_TIMEOUT_MS = 60 * 60_000;

/** With a limit of its own: through a pooler the session has that of look-ups. */
const BEGIN = `begin isolation level repeatable read read only; set local statement_timeout = ${String(EXPORT_TIMEOUT_MS)}`;

/** A reader that takes nothing for so long is let go: it holds a connection, and keeps the database from tidying up. */
const MAX_STALL_MS = 120_000;

/** What each line tells. */
export interface Content {
  fields: readonly AvtaleField[];
  withLinks: boolean;
}

/** The links of all avtaler are put together in one go, and not avtale by avtale as a search does. */
function exportSql({ fields, withLinks }: Content, part: ExportPart): string {
  const links = `left join (
    select fra, string_agg(relasjon || ' ' || til, ',' order by relasjon, til) as relasjoner
    from relasjon_synlig group by fra) as lenker on fra = avtale_id`;
  const columns = `${columnsFor(fields)}${withLinks ? ', relasjoner' : ''}`;
  return held(part, `select ${columns} from avtale_synlig ${withLinks ? links : ''} ${whereIn(part)}`);
}

/** What an export is made of, of one snapshot. */
interface Plan {
  /** @returns of what it is, when the snapshot has begun */
  begin: (db: PoolClient) => Promise<{ position: string; sql: string; countSql: string }>;
  writer: (columns: readonly Column[]) => LineWriter;
}

/** An export of all of a resource. */
export interface ResourceContent {
  feed: Feed;
  view: string;
  members: readonly Member[];
}

/** The part of all avtaler that an export is of. */
export interface ExportPart {
  /** its id is known once it has begun */
  subscription?: { name: SubscriptionName; id?: string } | undefined;
  /** kinds that the purpose is held to */
  kinds?: KindsHeldTo | undefined;
  /**
   * Told which subscription it is.
   *
   * @throws Problem 403 when its members are of a field that is not granted
   */
  onSubscription?: (found: { id: string; memberKinds: readonly string[] }) => void;
}

function held({ kinds }: ExportPart, text: string): string {
  return kinds ? narrowedText(text, kinds) : text;
}

function whereIn({ subscription }: ExportPart): string {
  return subscription?.id === undefined ? '' : `where avtale_id in (${avtalerOf(subscription.id)})`;
}

/**
 * All avtaler from one snapshot, as they are read from the database: never more in memory than what is on its way, also
 * when the reader is slow.
 */
export class Export {
  private inProgress = 0;

  constructor(
    /** of its own, so that exports and look-ups don't wait for each other */
    private readonly pool: Pick<Pool | SpreadPool, 'options'> & { connect: () => Promise<PoolClient> },
    private readonly shares: Shares,
    private readonly maxStallMs = MAX_STALL_MS,
  ) {}

  /**
   * @throws Problem 429 when the consumer has as many exports under way as it may have; 503 when there are as many already
   * as there are connections, or the database is away
   */
  start(konsument: string, content: Content, part: ExportPart = {}): Promise<ExportStream> {
    return this.startPlan(konsument, {
      begin: async (db) => {
        const begun = part.subscription ? await beginSubscription(db, part) : await beginWhole(db, part);
        const count = `(select count(*) from avtale_synlig ${whereIn(begun.part)})`;
        const sql = exportSql(content, begun.part);
        const countSql = held(
          begun.part,
          `select ${count}::text as antall, ${momentSqlFor(sql)}::text as oppdatert_til`,
        );
        return { position: begun.position, sql, countSql };
      },
      writer: (columns) => createLineWriter(content, columns),
    });
  }

  /**
   * All of another resource, as `start` gives avtaler.
   *
   * @throws as `start`
   */
  startOf(konsument: string, { feed, view, members }: ResourceContent): Promise<ExportStream> {
    return this.startPlan(konsument, {
      begin: async (db) => {
        const sql = `select ${members.map(({ column }) => column).join(', ')} from ${view}`;
        const countSql = `select (select count(*) from ${view})::text as antall, ${momentSqlFor(sql)}::text as oppdatert_til`;
        return { position: await positionNow(db, feed), sql, countSql };
      },
      writer: (columns) => plainLineWriter(members, columns),
    });
  }

  private async startPlan(konsument: string, plan: Plan): Promise<ExportStream> {
    const giveBack = this.shares.take(konsument);
    if (!giveBack) throw atOnceProblem(`${String(this.shares.max)} exports`, 30);
    if (this.inProgress >= this.pool.options.max) {
      giveBack();
      throw new Problem(PROBLEMS.UTILGJENGELIG, 'As many exports as can be are under way', { retryAfter: 30 });
    }
    this.inProgress++;
    let db: PoolClient | undefined;
    // The connection goes with it: whatever state it is in.
    const release = (): void => {
      this.inProgress--;
      giveBack();
      db?.release(true);
    };
    try {
      db = await this.pool.connect();
      return await this.read(db, plan, release);
    } catch (error) {
      release();
      throw asUnavailable(error);
    }
  }

  private async read(db: PoolClient, { begin, writer }: Plan, release: () => void): Promise<ExportStream> {
    await db.query(BEGIN);
    const { header, updatedTo, sql } = await readHeader(db, begin);
    const write = writer(await readColumns(db, sql));
    const guard = new StallGuard(this.maxStallMs);
    const stream: CopyToStreamQuery = db.query(copyTo(`copy (${sql}) to stdout`));
    const lines = pipeline(stream, toLines(header, write, guard), (error) => {
      guard.stop();
      if (error) logger.warn({ err: error }, 'An export was not read to its end');
      release();
    });
    guard.watch(lines);
    return {
      ...{ count: header.antall, position: header.posisjon, lines },
      updatedToMs: updatedTo === null ? null : Number(updatedTo),
    };
  }
}

/**
 * What is true of the snapshot, which begins here. The position is that of the feed's last line, and not of the last
 * transaction: a number that wrote nothing may be given out again when the server has crashed.
 */
async function readHeader(
  db: PoolClient,
  begin: Plan['begin'],
): Promise<{ header: EksporthodeDto; updatedTo: string | null; sql: string }> {
  // The place takes a lock on every month of the feed. Rolled back to here they are let go, and the snapshot stays: a
  // month that is to be dropped need not wait for an hour, nor others behind who drops it.
  await db.query('savepoint sted');
  const { position, sql, countSql } = await begin(db);
  await db.query('rollback to savepoint sted');
  const { rows } = await db.query<{ antall: string; oppdatert_til: string | null }>(countSql);
  const [row] = rows;
  if (!row) throw new Error('A select without a table gives one row');
  return { header: { posisjon: position, antall: Number(row.antall) }, updatedTo: row.oppdatert_til, sql };
}

interface Begun {
  position: string;
  part: ExportPart;
}

async function beginWhole(db: PoolClient, part: ExportPart): Promise<Begun> {
  return { position: await positionNow(db, AVTALER_FEED), part };
}

async function positionNow(db: PoolClient, { end }: Feed): Promise<string> {
  const feed = toFeedEnd((await db.query(end.statement)).rows);
  return encodePosition(feed.epoch, feed.last ?? beginningOf(feed));
}

/** @throws Problem 404 when there is no such subscription */
async function beginSubscription(db: PoolClient, { subscription, ...part }: ExportPart): Promise<Begun> {
  if (!subscription) throw new Error('It is of no subscription');
  const { statement, values } = nowQuery(subscription.name);
  const [row] = (await db.query<NowRow>({ ...statement, values: [...values] })).rows;
  const now = row && placeNow(row, part.kinds?.stored);
  if (!now) throw noSuchSubscription();
  part.onSubscription?.(now);
  return { position: now.position, part: { ...part, subscription: { ...subscription, id: now.id } } };
}

async function readColumns(db: PoolClient, sql: string): Promise<Column[]> {
  const { fields: columns } = await db.query(`select * from (${sql}) alle limit 0`);
  return columns.map(({ name, dataTypeID }) => ({ name, kind: jsonTypeOf(dataTypeID) }));
}

/** Rows of COPY in, lines of JSON out. */
function toLines(header: EksporthodeDto, write: LineWriter, guard: StallGuard): Transform {
  const lines = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      guard.mark();
      write(chunk, (ready) => this.push(ready));
      done();
    },
  });
  lines.push(`${JSON.stringify(header)}\n`);
  return lines;
}

/** Ends a stream whose reader takes nothing. */
class StallGuard {
  private latest = Date.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly maxMs: number) {}

  mark(): void {
    this.latest = Date.now();
  }

  watch(stream: Readable): void {
    this.timer = setInterval(() => {
      if (Date.now() - this.latest > this.maxMs) stream.destroy(new Error('The reader took nothing for too long'));
    }, this.maxMs / 10);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
