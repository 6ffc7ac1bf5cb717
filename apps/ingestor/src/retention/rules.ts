import type { ConfigOf } from '@tiltak/platform';
import type { RETENTION_VARIABLES } from '../config.ts';

/** For how long the rows of a partitioned table are kept, at least: they go by whole months. */
export interface RetentionRule {
  table: string;
  /** undefined: nothing goes */
  days: number | undefined;
  /** where that is decided */
  setting: string;
}

export type RetentionConfig = ConfigOf<typeof RETENTION_VARIABLES>;

/** The one place that decides; a partitioned table that is not here keeps all it has. */
export function retentionRules(config: RetentionConfig): RetentionRule[] {
  const feed = { days: config.ENDRINGER_BEHOLDES_DAGER, setting: 'ENDRINGER_BEHOLDES_DAGER' };
  return [
    { table: 'endring', ...feed },
    { table: 'avtale_endring', ...feed },
    { table: 'oppslagslinje', days: config.OPPSLAG_DAGER, setting: 'OPPSLAG_DAGER' },
  ];
}
