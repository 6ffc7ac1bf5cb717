import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lay, UNFINISHED } from '../shared/whole-files.ts';
import type { Column } from './columns.ts';
import type { WrittenFile } from './parquet-file.ts';
import type { Product } from './products.ts';

export const MANIFEST = 'manifest.json';
const FORMAT = 'tiltak-datadeling-analyse';
/** Of the files: a new one when a reader of the old could misread them. */
const VERSION = 1;

/** What stands beside the files of a run, and is written last: files without it are none. */
export interface Manifest {
  format: typeof FORMAT;
  skjemaversjon: typeof VERSION;
  organisasjon: string;
  produkt: string;
  behandlingsgrunnlag: Product['behandlingsgrunnlag'];
  /** ALT: all avtaler. ENDRINGER: those that have changed since `siden`, and those that are gone */
  slag: 'ALT' | 'ENDRINGER';
  siden: string | null;
  /** place in the change feed: the next run goes on from here */
  posisjon: string;
  /** the field whose month divides the files */
  maanedAv: Product['maaned'];
  /** tells keys of one making from those of another */
  noekkelkontroll: string;
  kolonner: { navn: string; type: Column['type']; felt: string; hvorfor: string }[];
  filer: (WrittenFile & { innhold: 'AVTALER' | 'FJERNET'; maaned: string | null })[];
  /** of avtaler, and of keys of those that are gone */
  rader: number;
  fjernet: number;
  laget: string;
}

type ManifestContent = Omit<Manifest, 'format' | 'skjemaversjon' | 'rader' | 'fjernet' | 'laget'>;

export class ManifestError extends Error {}

/** @param path of a manifest. @throws ManifestError */
export function readManifest(path: string): Manifest {
  let read: Partial<Manifest>;
  try {
    read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>;
  } catch {
    throw new ManifestError(`${path} is not a manifest of an analysis`);
  }
  if (read.format !== FORMAT || read.skjemaversjon !== VERSION)
    throw new ManifestError(`${path} is not of a form that this version reads`);
  return read as Manifest;
}

export async function layManifest(directory: string, content: ManifestContent): Promise<Manifest> {
  const sum = (what: 'AVTALER' | 'FJERNET'): number =>
    content.filer.reduce((rows, { innhold, rader }) => rows + (innhold === what ? rader : 0), 0);
  const manifest: Manifest = {
    ...{ format: FORMAT, skjemaversjon: VERSION, ...content },
    ...{ rader: sum('AVTALER'), fjernet: sum('FJERNET'), laget: new Date().toISOString() },
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeFile(join(directory, `${MANIFEST}${UNFINISHED}`), text, { mode: 0o600 });
  await lay(directory, MANIFEST);
  return manifest;
}

export const columnsInManifest = ({ columns }: Product): Manifest['kolonner'] =>
  columns.map(({ name, type, field, why }) => ({ navn: name, type, felt: field, hvorfor: why }));
