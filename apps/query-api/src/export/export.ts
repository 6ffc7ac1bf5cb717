import { pipeline, Transform, type Readable } from 'node:stream';
import { createGzip, constants } from 'node:zlib';
import { PROBLEMS, logger, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { to as copyTo, type CopyToStreamQuery } from 'pg-copy-streams';
import type { AvtaleField } from '@tiltak/avtale';
import { columnsFor } from '../avtaler/avtaler.fields.ts';
import { asUnavailable, jsonTypeOf } from '../lookups/reader.ts';
import { atOnceProblem } from '../access/consumer-limits.ts';
import { beginningOf, FEED_END, toFeedEnd } from '../changes/changes.queries.ts';
import { encodePosition } from '../changes/feed-position.ts';
import type { Shares } from '../shared/shares.ts';
import type { EksporthodeDto } from './export.dto.ts';
import { createLineWriter, type Column } from './line-writer.ts';

export interface ExportStream {
  /** lines after the first */
  count: number;
  /** of the snapshot, in the change feed */
  position: string;
  /** bytes */
  lines: Readable;
}

/** A reader that takes nothing for so long is let go: it holds a connection, and keeps the database from tidying up. */
const MAX_STALL_MS = 120_000;

/** The links of all avtaler are put together in one go, and not avtale by avtale as a search does. */
const exportSql = (fields: readonly AvtaleField[]): string => `
  select ${columnsFor(fields)}, relasjoner from avtale_synlig left join (
    select fra, string_agg(relasjon || ' ' || til, ',' order by relasjon, til) as relasjoner
    from relasjon_synlig group by fra) as lenker on fra = avtale_id`;

/**
 * All avtaler from one snapshot, as they are read from the database: never more in memory than what is on its way, also
 * when the reader is slow.
 */
export class Export {
  private inProgress = 0;

  constructor(
    /** of its own, so that exports and look-ups don't wait for each other */
    private readonly pool: Pool,
    private readonly shares: Shares,
    private readonly maxStallMs = MAX_STALL_MS,
  ) {}

  /**
   * @throws Problem 429 when the consumer has as many exports under way as it may have; 503 when there are as many already
   * as there are connections, or the database is away
   */
  async start(konsument: string, fields: readonly AvtaleField[]): Promise<ExportStream> {
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
      return await this.read(db, fields, release);
    } catch (error) {
      release();
      throw asUnavailable(error);
    }
  }

  private async read(db: PoolClient, fields: readonly AvtaleField[], release: () => void): Promise<ExportStream> {
    await db.query('begin isolation level repeatable read read only');
    const header = await readHeader(db);
    const write = createLineWriter(fields, await readColumns(db, fields));
    const guard = new StallGuard(this.maxStallMs);
    const stream: CopyToStreamQuery & { callback?: () => void } = db.query(
      copyTo(`copy (${exportSql(fields)}) to stdout`),
    );
    const lines = pipeline(stream, toLines(header, write, guard), (error) => {
      guard.stop();
      // Ends pg's own time limit, which would keep the connection in memory; pg-copy-streams does so for COPY FROM only.
      stream.callback?.();
      if (error) logger.warn({ err: error }, 'An export was not read to its end');
      release();
    });
    guard.watch(lines);
    return { count: header.antall, position: header.posisjon, lines };
  }
}

/**
 * What is true of the snapshot, which begins here. The position is that of the feed's last line, and not of the last
 * transaction: a number that wrote nothing may be given out again when the server has crashed.
 */
async function readHeader(db: PoolClient): Promise<EksporthodeDto> {
  const feed = toFeedEnd((await db.query(FEED_END.statement)).rows);
  const { rows } = await db.query<{ count: string }>('select count(*)::text as count from avtale_synlig');
  return { posisjon: encodePosition(feed.epoch, feed.last ?? beginningOf(feed)), antall: Number(rows[0]?.count) };
}

async function readColumns(db: PoolClient, fields: readonly AvtaleField[]): Promise<Column[]> {
  const { fields: columns } = await db.query(`${exportSql(fields)} limit 0`);
  return columns.map(({ name, dataTypeID }) => ({ name, kind: jsonTypeOf(dataTypeID) }));
}

/** Long strings are kept apart by the engine, and stay for longer. */
const CHUNK_CHARS = 16 * 1_024;

/** Whole rows of COPY in, lines of JSON out. */
function toLines(header: EksporthodeDto, write: (row: string) => string, guard: StallGuard): Transform {
  let rest: Buffer = Buffer.alloc(0);
  const lines = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      guard.mark();
      const end = chunk.lastIndexOf(0x0a);
      const whole = end < 0 ? undefined : Buffer.concat([rest, chunk.subarray(0, end)]);
      rest = whole ? chunk.subarray(end + 1) : Buffer.concat([rest, chunk]);
      let json = '';
      for (const row of whole?.toString('utf8').split('\n') ?? []) {
        json += write(row);
        if (json.length < CHUNK_CHARS) continue;
        this.push(json);
        json = '';
      }
      done(null, json);
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

export function gzip(lines: Readable): Readable {
  // The quickest level: this is about the network, not about storage.
  return pipeline(lines, createGzip({ level: constants.Z_BEST_SPEED }), () => undefined);
}
