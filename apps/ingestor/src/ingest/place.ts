import type { OrderMemory, Position } from '@tiltak/avtale';
import { copyField } from '../database/copy.ts';

/** The columns that hold the place of the message that decided. */
export const PLACE_COLUMNS: readonly string[] = [
  'kilde_epoke',
  'kilde_partisjon',
  'kilde_offset',
  'kilde_skrevet',
  'kilde_slett_foer',
];

export interface PlaceRow {
  kilde_epoke: number;
  kilde_partisjon: number;
  kilde_offset: string;
  kilde_skrevet: string | null;
  kilde_slett_foer?: string | null;
}

/** In the order of `PLACE_COLUMNS`. */
export function placeColumns({ epoch, partition, offset, writtenAt, deletesBefore }: Position): string[] {
  const place = [epoch, partition, offset].map(String);
  return [...place, copyField(writtenAt ?? null), copyField(deletesBefore ?? null)];
}

export function rowToPlace(row: PlaceRow): Position {
  return {
    epoch: row.kilde_epoke,
    partition: row.kilde_partisjon,
    offset: Number(row.kilde_offset),
    writtenAt: row.kilde_skrevet === null ? undefined : Number(row.kilde_skrevet),
    deletesBefore: row.kilde_slett_foer == null ? undefined : Number(row.kilde_slett_foer),
  };
}

/**
 * As in the column `kilde_minne`: places as epoch/partition/offset/time, and the limit of a full sync's
 * tombstone, those that are there after a letter each.
 */
export function encodeMemory(memory: OrderMemory | undefined): string | null {
  if (!memory) return null;
  const { tombstone, since } = memory;
  const parts = [tombstone && `g${encodePlace(tombstone)}`, since && `s${encodePlace(since)}`];
  return parts.filter((part) => part !== undefined).join(' ') || null;
}

export function decodeMemory(text: string | null): OrderMemory | undefined {
  if (text === null) return undefined;
  const memory: OrderMemory = {};
  for (const part of text.split(' ')) memory[part.startsWith('g') ? 'tombstone' : 'since'] = decodePlace(part.slice(1));
  return memory;
}

function encodePlace({ epoch, partition, offset, writtenAt, deletesBefore }: Position): string {
  const place = [epoch, partition, offset, writtenAt ?? ''];
  return (deletesBefore === undefined ? place : [...place, deletesBefore]).join('/');
}

function decodePlace(text: string): Position {
  const [epoch = '', partition = '', offset = '', writtenAt = '', deletesBefore = ''] = text.split('/');
  return {
    epoch: Number(epoch),
    partition: Number(partition),
    offset: Number(offset),
    writtenAt: writtenAt === '' ? undefined : Number(writtenAt),
    deletesBefore: deletesBefore === '' ? undefined : Number(deletesBefore),
  };
}
