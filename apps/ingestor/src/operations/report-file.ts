import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

export const CSV = 'text/csv';
export const JSON_TYPE = 'application/json';

/** A row of CSV (RFC 4180). What a spreadsheet would take as a formula it takes as text. */
export function csvRow(values: readonly (string | number | null)[]): string {
  return `${values.map(csvValue).join(',')}\r\n`;
}

function csvValue(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  const harmless = /^[=+@\t\r-]/.test(text) && typeof value === 'string' ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Sends a report as a file of its own. */
export async function sendFile(
  reply: FastifyReply,
  { name, type, parts }: { name: string; type: string; parts: AsyncIterable<string> | Iterable<string> },
): Promise<void> {
  await reply
    .type(`${type}; charset=utf-8`)
    .header('Content-Disposition', `attachment; filename="${name}"`)
    .send(Readable.from(parts));
}
