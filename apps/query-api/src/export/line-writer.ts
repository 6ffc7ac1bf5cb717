import type { AvtaleField } from '@tiltak/avtale';
import { linksOf } from '../avtaler/avtaler.mapper.ts';
import { membersOf, type ValueReader } from '../avtaler/avtaler.fields.ts';
import type { JsonType } from '../lookups/reader.ts';

const NULL = '\\N';
const MUST_BE_REWRITTEN = /["\\\u0000-\u001f]/;
const ESCAPE: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A column of the rows. */
export interface Column {
  name: string;
  kind: JsonType;
}

/**
 * Turns rows of `COPY … TO STDOUT` into lines of JSON. Says the same as `JSON.stringify(toAvtaleDto(fields)(row))`, several times
 * faster: nothing is parsed that is written again as it stands.
 */
export function createLineWriter(fields: readonly AvtaleField[], columns: readonly Column[]): (row: string) => string {
  const position = (name: string): number => columns.findIndex((column) => column.name === name);
  const writers = fields.flatMap(membersOf).map(({ name, column, read }) => {
    const i = position(column);
    return { i, key: `"${name}":`, write: writer(read, columns[i]?.kind ?? 'string') };
  });
  const [id, deltaker, bedrift] = [position('avtale_id'), position('deltaker_id'), position('bedrift_nr')];
  const relations = position('relasjoner');
  return (row) => {
    const cells = row.split('\t');
    let json = '{';
    for (const { i, key, write } of writers) {
      const value = write(cells[i] ?? NULL);
      if (value !== undefined) json += key + value + ',';
    }
    const linkRow = {
      avtale_id: cells[id] ?? null,
      deltaker_id: withoutNull(cells[deltaker]),
      bedrift_nr: withoutNull(cells[bedrift]),
      relasjoner: withoutNull(cells[relations]),
    };
    return json + '"_links":' + JSON.stringify(linksOf(linkRow)) + '}\n';
  };
}

type Writer = (cell: string) => string | undefined;

function writer(read: ValueReader, kind: JsonType): Writer {
  const forNull = JSON.stringify(read(null)) as string | undefined;
  const write = writerFor(read, kind);
  return (cell) => (cell === NULL ? forNull : write(cell));
}

function writerFor(read: ValueReader, kind: JsonType): Writer {
  if (kind === 'number') return (cell) => cell;
  if (kind === 'boolean') {
    const [yes, no] = [true, false].map((value) => JSON.stringify(read(value)) as string | undefined);
    return (cell) => (cell === 't' ? yes : no);
  }
  if (read.lowCardinality) return remember((cell) => JSON.stringify(read(unescape(cell))));
  return read.passThrough
    ? (cell) => (MUST_BE_REWRITTEN.test(cell) ? JSON.stringify(unescape(cell)) : `"${cell}"`)
    : (cell) => `"${String(read(cell))}"`;
}

/** Codes: a handful of values, a million times. */
function remember(write: (cell: string) => string): Writer {
  const known = new Map<string, string>();
  return (cell) => {
    let json = known.get(cell);
    if (json === undefined) {
      json = write(cell);
      if (known.size < 1_000) known.set(cell, json);
    }
    return json;
  };
}

function withoutNull(cell = NULL): string | null {
  return cell === NULL ? null : unescape(cell);
}

/** COPY's text format without its escapes. */
function unescape(cell: string): string {
  return cell.includes('\\') ? cell.replace(/\\(.)/g, (_, char: string) => ESCAPE[char] ?? char) : cell;
}
