import { writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { checksumOf, lay, UNFINISHED } from '../shared/whole-files.ts';
import type { ColumnType, Value } from './columns.ts';

/** Rows in memory at a time, of one file: some MiB, and enough for what a reader skips by. */
const GROUP = 10_000;

/** Digits after the point of a DECIMAL, of 18 in all. */
const SCALE = 6;

export interface WrittenFile {
  fil: string;
  rader: number;
  byte: number;
  sha256: string;
}

type Element = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** One file that is written row by row, and bears its name when all of it is on the disk. */
export class ParquetFile {
  private readonly writer: ParquetWriter;
  private readonly path: string;
  private cells: unknown[][];
  private count = 0;

  constructor(
    private readonly directory: string,
    readonly name: string,
    private readonly columns: readonly { name: string; type: ColumnType }[],
  ) {
    this.path = join(directory, name);
    const unfinished = `${this.path}${UNFINISHED}`;
    // It is of persons: the library gives no mode, and leaves that of a file that is there.
    writeFileSync(unfinished, '', { flag: 'wx', mode: 0o600 });
    this.writer = new ParquetWriter({
      writer: fileWriter(unfinished),
      schema: [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)],
      createdBy: 'tiltak-datadeling',
    });
    this.cells = columns.map(() => []);
  }

  async add(row: readonly Value[]): Promise<void> {
    for (const [i, { type }] of this.columns.entries()) {
      const value = row[i] ?? null;
      this.cells[i]?.push(value === null ? null : TO_PARQUET[type](value));
    }
    this.count++;
    if (this.count % GROUP === 0) await this.writeGroup();
  }

  async finish(): Promise<WrittenFile> {
    await this.writeGroup();
    await this.writer.finish();
    await lay(this.directory, this.name);
    const { size: byte } = await stat(this.path);
    return { fil: this.name, rader: this.count, byte, sha256: await checksumOf(this.path) };
  }

  private async writeGroup(): Promise<void> {
    const rows = this.cells[0]?.length ?? 0;
    if (rows === 0) return;
    const columnData = this.columns.map(({ name }, i) => ({ name, data: this.cells[i] ?? [] }));
    await this.writer.write({ columnData, rowGroupSize: rows });
    this.cells = this.columns.map(() => []);
  }
}

const ELEMENTS: Readonly<Record<ColumnType, Omit<Element, 'name'>>> = {
  TEXT: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  INTEGER: { type: 'INT32' },
  DECIMAL: { type: 'INT64', converted_type: 'DECIMAL', precision: 18, scale: SCALE },
  BOOLEAN: { type: 'BOOLEAN' },
  DATE: { type: 'INT32', converted_type: 'DATE' },
  TIMESTAMP: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
};

function elementOf({ name, type }: { name: string; type: ColumnType }): Element {
  return { name, repetition_type: 'OPTIONAL', ...ELEMENTS[type] };
}

const TO_PARQUET: Readonly<Record<ColumnType, (value: string) => unknown>> = {
  TEXT: (value) => value,
  INTEGER: Number,
  // Scaled: what is given as a number would go through a double once more.
  DECIMAL: (value) => BigInt(Number(value).toFixed(SCALE).replace('.', '')),
  BOOLEAN: (value) => value === 'true',
  DATE: (value) => Date.parse(`${value}T00:00:00Z`) / 86_400_000,
  TIMESTAMP: (value) => BigInt(Date.parse(`${value.slice(0, 23)}Z`)) * 1_000n + BigInt(value.slice(23, 26)),
};
