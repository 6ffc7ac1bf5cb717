import { hash } from 'node:crypto';
import {
  AVTALE_FIELDS,
  FIELDS,
  toRelationAvtale,
  UKJENT,
  type Avtale,
  type Change,
  type Content,
  type RelationAvtale,
  type AvtaleState,
  type Version,
} from '@tiltak/avtale';
import { columnName, type DeltakerId } from '@tiltak/database';
import { copyField, copyRow, NULL, type CopyValue } from '../database/copy.ts';
import { encodeMemory, placeColumns } from './place.ts';

/** What a version is found by: its participant, who has the same id under any ident, and its employer. */
export interface VersionKeys {
  deltakerFnr: string | null;
  /** the opaque id of the participant */
  deltakerId: string | null;
  bedriftNr: string | null;
}

/** The content of an avtale as COPY text, without the newline that ends a row, in the order of `CONTENT_COLUMNS`. */
export interface EncodedContent extends Content, VersionKeys {
  columns: string;
  /** the participant has other idents too, so that the id doesn't tell which one this bears */
  hasSeveralIdents?: true;
  /** the coded fields whose value this release does not know */
  unknown: string[];
  /** undefined when the avtale takes no part in relations */
  member: RelationAvtale | undefined;
}

/** The columns that hold content: the fields of an avtale, and the opaque id of the participant last. */
export const CONTENT_COLUMNS: readonly string[] = [...AVTALE_FIELDS.map(columnName), 'deltaker_id'];

/** Encoded once: the fingerprint is of the same text that is stored. */
export function encodeContent(avtale: Avtale, deltakerId: DeltakerId): EncodedContent {
  const id = avtale.deltakerFnr === null ? null : deltakerId(avtale.deltakerFnr);
  const columns = `${fieldColumns(avtale)}\t${id ?? NULL}`;
  return {
    columns,
    deltakerFnr: avtale.deltakerFnr,
    deltakerId: id,
    bedriftNr: avtale.bedriftNr,
    fingerprint: fingerprint(columns),
    unknown: unknownValues(avtale),
    member: toRelationAvtale(avtale, id),
  };
}

/** Only a text can hold what must be escaped: all else was written by us. */
const COLUMNS = AVTALE_FIELDS.map((name) => ({ name, isText: FIELDS[name].read === 'text' }));

function fieldColumns(avtale: Avtale): string {
  let columns = '';
  for (const { name, isText } of COLUMNS) {
    const value = avtale[name];
    const column = value === null ? NULL : isText ? copyField(value) : value;
    columns = columns === '' ? String(column) : `${columns}\t${String(column)}`;
  }
  return columns;
}

/** The same content, of the person that its ident belongs to. Its fingerprint stays: the avtale says what it said. */
export function ofPerson(content: EncodedContent, persons: ReadonlyMap<string, string>): EncodedContent {
  const { columns, deltakerId: own, member } = content;
  const person = own === null ? undefined : persons.get(own);
  if (own === null || person === undefined) return content;
  return {
    ...content,
    columns: columns.slice(0, -own.length) + person,
    deltakerId: person,
    hasSeveralIdents: true,
    member: member && { ...member, deltakerId: person },
  };
}

const CODED_FIELDS = AVTALE_FIELDS.flatMap((name) => {
  const { codes } = FIELDS[name];
  return codes ? { name, codes } : [];
});

function unknownValues(avtale: Avtale): string[] {
  return CODED_FIELDS.filter(({ name, codes }) => {
    const raw = avtale[name];
    return typeof raw === 'string' && codes.fromSource(raw) === UKJENT;
  }).map(({ name }) => name);
}

/** 128 bits of SHA-256, written as Postgres writes a UUID. */
function fingerprint(columns: string): string {
  const hex = hash('sha256', columns, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** What tells the state that a row replaces from any other of the avtale. */
export const KNOWN_COLUMNS: readonly string[] = [
  'kjent_epoke',
  'kjent_partisjon',
  'kjent_offset',
  'kjent_minne',
  'kjent_sist_endret',
];

function knownColumns({ position, memory, sistEndret }: AvtaleState): string[] {
  const place = [position.epoch, position.partition, position.offset].map(String);
  return [...place, copyField(encodeMemory(memory)), copyField(sistEndret)];
}

/** A row of `avtale`; with `known`, followed by `KNOWN_COLUMNS` of the state it replaces. */
export function avtaleRow(
  avtaleId: string,
  state: AvtaleState,
  content: EncodedContent | undefined,
  known?: AvtaleState,
): string {
  const { position, deleted, fingerprint, memory } = state;
  const columns = content?.columns ?? tombstoneContent(avtaleId, state);
  const place = placeColumns(position).join('\t');
  const order = `${copyField(encodeMemory(memory))}\t${copyField(fingerprint)}`;
  const row = `${columns}\t${copyField(deleted)}\t${place}\t${order}\t${phaseColumns(state)}`;
  return known ? copyRow([row, ...knownColumns(known)]) : `${row}\n`;
}

/** All that is left of a deleted avtale. */
function tombstoneContent(avtaleId: string, { sistEndret }: AvtaleState): string {
  const values: Record<string, CopyValue> = { avtale_id: avtaleId, feilregistrert: false, sist_endret: sistEndret };
  return CONTENT_COLUMNS.map((name) => copyField(values[name] ?? null)).join('\t');
}

/** What the phase needs beside the content, and outside its fingerprint. */
export const PHASE_COLUMNS: readonly string[] = ['har_vaert_inngaatt', 'aldri_begynt', 'fra_arena'];

export const VERSION_COLUMNS: readonly string[] = [
  ...CONTENT_COLUMNS,
  'kilde_epoke',
  'kilde_partisjon',
  'kilde_offset',
  ...PHASE_COLUMNS,
  'ny_deltaker',
  'ny_bedrift',
];

/**
 * Without a fingerprint: one can be tried against every ident there is, also when the ident has left the history.
 *
 * @param before of the version before it; undefined when it is the first
 */
export function versionRow(version: Version<EncodedContent>, before: VersionKeys | undefined): string {
  const { content, position } = version;
  const place = `${String(position.epoch)}\t${String(position.partition)}\t${String(position.offset)}`;
  // By ident and id: when the register moves an ident, whatever bears both alike is moved alike.
  const isNewDeltaker = before?.deltakerId !== content.deltakerId || before.deltakerFnr !== content.deltakerFnr;
  const isNewBedrift = before?.bedriftNr !== content.bedriftNr;
  return `${content.columns}\t${place}\t${phaseColumns(version)}\t${String(isNewDeltaker)}\t${String(isNewBedrift)}\n`;
}

function phaseColumns({ everEntered, marks }: Pick<AvtaleState, 'everEntered' | 'marks'>): string {
  const known = marks ? `${String(marks.neverBegan)}\t${String(marks.fromArena)}` : `${NULL}\t${NULL}`;
  return `${String(everEntered)}\t${known}`;
}

export function changeRow({ avtaleId, type, reason }: Change): string {
  return copyRow([avtaleId, type, copyField(reason)]);
}
