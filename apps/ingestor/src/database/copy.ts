import { finished } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

export type CopyValue = string | number | boolean | null;

/** @param into a table and its columns; @param rows as `copyRow` makes them */
export async function copyRows(db: PoolClient, into: string, rows: readonly string[]): Promise<void> {
  if (rows.length === 0) return;
  const stream = db.query(copyFrom(`copy ${into} from stdin`));
  stream.end(rows.join(''));
  await finished(stream);
}

/** A row in the text format of COPY, of columns as `copyField` makes them. */
export function copyRow(columns: readonly string[]): string {
  return columns.join('\t') + '\n';
}

const ESCAPE: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A column without a value. */
export const NULL = '\\N';

/** One column in the text format of COPY. */
export function copyField(value: CopyValue): string {
  if (value === null) return NULL;
  if (typeof value !== 'string') return String(value);
  return /[\\\n\r\t]/.test(value) ? value.replace(/[\\\n\r\t]/g, (char) => ESCAPE[char] ?? char) : value;
}
