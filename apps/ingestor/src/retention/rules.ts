import { AVTALER_FEED_TABLES, horizonRow } from '@tiltak/database';
import type { ConfigOf } from '@tiltak/platform';
import type { RETENTION_VARIABLES } from '../config.ts';
import { RESOURCES } from '../resources/resources.ts';

/** For how long the rows of a partitioned table are kept, at least: they go by whole months. */
export interface RetentionRule {
  table: string;
  /** undefined: nothing goes */
  days: number | undefined;
  /** where that is decided */
  setting: string;
  /** the change feed that it is part of: a partition goes when that begins later */
  feed?: RetainedFeed;
}

/** A change feed, whose tables are cut together. */
export interface RetainedFeed {
  /** its lines; the last of them always stays */
  lines: string;
  tables: readonly string[];
  /** where it stands how far back it reaches */
  horizon: ReturnType<typeof horizonRow>;
}

export type RetentionConfig = ConfigOf<typeof RETENTION_VARIABLES>;

/** The one place that decides; a partitioned table that is not here keeps all it has. */
export function retentionRules(config: RetentionConfig): RetentionRule[] {
  const kept = { days: config.ENDRINGER_BEHOLDES_DAGER, setting: 'ENDRINGER_BEHOLDES_DAGER' };
  const feeds = [
    { lines: 'endring', tables: AVTALER_FEED_TABLES },
    ...RESOURCES.map(({ resource }) => ({ lines: `${resource.table}_endring`, tables: [`${resource.table}_endring`] })),
  ];
  return [
    ...feeds
      .map((feed): RetainedFeed => ({ ...feed, horizon: horizonRow(feed.lines) }))
      .flatMap((feed) => feed.tables.map((table) => ({ table, ...kept, feed }))),
    { table: 'oppslagslinje', days: config.OPPSLAG_DAGER, setting: 'OPPSLAG_DAGER' },
  ];
}
