import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { checksumOf } from '../shared/whole-files.ts';

/** Of what a file of the archive is made: a line of JSON for each line of the audit, as the view `oppslag` has it, oldest first. */
const FORMAT = 'tiltak-datadeling-oppslag';
const VERSION = 1;

/** What stands beside a file, and is written last: a file without it is none. */
export interface Manifest {
  format: typeof FORMAT;
  versjon: typeof VERSION;
  organisasjon: string;
  /** YYYYMM, the last month that it holds */
  maaned: string;
  /** null: from the beginning of the audit */
  fra: string | null;
  /** not included */
  til: string;
  rader: number;
  fil: string;
  /** of the file, compressed */
  byte: number;
  sha256: string;
  laget: string;
}

export const manifestOf = (content: Omit<Manifest, 'format' | 'versjon'>): Manifest => ({
  format: FORMAT,
  versjon: VERSION,
  ...content,
});

export const manifestName = (month: string): string => `oppslag-${month}.json`;
export const fileName = (month: string): string => `oppslag-${month}.ndjson.gz`;

/** What is in the archive is not what was written there. */
export class ArchiveError extends Error {}

/** @throws ArchiveError */
export function readManifest(directory: string, name: string): Manifest {
  const read = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Partial<Manifest>;
  const { format, versjon: version, fil: file } = read;
  if (format !== FORMAT || version !== VERSION)
    throw new ArchiveError(`${name} is not of a form that this version reads`);
  if (file === undefined || file !== fileName(read.maaned ?? ''))
    throw new ArchiveError(`${name} names no file of its own`);
  return read as Manifest;
}

/** Its checksum first: nothing is told from a file that is not as it was. @throws ArchiveError */
export async function* linesOf(directory: string, manifest: Manifest): AsyncGenerator<string> {
  const path = join(directory, manifest.fil);
  if ((await checksumOf(path)) !== manifest.sha256)
    throw new ArchiveError(`${manifest.fil} is not as its manifest says`);
  let count = 0;
  for await (const line of unzippedLines(path)) {
    count++;
    yield line;
  }
  if (count !== manifest.rader) throw new ArchiveError(`${manifest.fil} has not as many lines as its manifest says`);
}

/** What fails on the way, in the file or in what is in it, fails here too. */
async function* unzippedLines(path: string): AsyncGenerator<string> {
  const gunzip = createGunzip();
  gunzip.setEncoding('utf8');
  // It ends with the same error as the loop, or with the loop.
  const whole = pipeline(createReadStream(path), gunzip).catch(() => undefined);
  let rest = '';
  for await (const chunk of gunzip as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  await whole;
  if (rest !== '') yield rest;
}

/** Passes everything on, and knows what it was. */
export function measured(): { stream: Transform; result: () => { byte: number; sha256: string } } {
  const hash = createHash('sha256');
  let byte = 0;
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      byte += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ byte, sha256: hash.digest('hex') }) };
}
