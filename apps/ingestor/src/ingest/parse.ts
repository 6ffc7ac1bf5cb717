import {
  parseMessage,
  parseMessageText,
  type ParkingReason,
  type ParseResult,
  type Position,
  type PositionedMessage,
} from '@tiltak/avtale';
import { fingerprint } from '@tiltak/platform';
import type { RawMessage } from '../kafka/batch.ts';
import type { TopicPartition } from '../kafka/positions.queries.ts';

/** A message that can't be used, with its bytes and the reason. */
export interface ParkedMessage {
  position: Position;
  key: Buffer | null;
  value: Buffer | null;
  /** the timestamp of its record, ms since 1970: what a later replay is judged by too */
  writtenAt: number | undefined;
  /** of a tombstone: the offset that it does not delete beyond, in a later replay neither */
  deleteBefore: number | undefined;
  fingerprint: Buffer;
  code: string;
  field: string | null;
  reason: string;
}

export interface ParsedMessages {
  /** in the order of the topic */
  perAvtale: Map<string, PositionedMessage[]>;
  parked: ParkedMessage[];
}

/** Where messages of one partition come from. */
export type Source = Pick<TopicPartition, 'epoch' | 'partition'>;

/** The usable messages per avtale, and the others with the reason. */
export function parseMessages(messages: readonly RawMessage[], source: Source): ParsedMessages {
  const perAvtale = new Map<string, PositionedMessage[]>();
  const parked: ParkedMessage[] = [];
  for (const raw of messages) {
    const parsed = parseRaw(raw);
    if (!parsed.ok) {
      parked.push(toParked(raw, source, parsed.reason));
      continue;
    }
    const { message } = parsed;
    const avtaleId = message.type === 'AVTALE' ? message.avtale.avtaleId : message.avtaleId;
    const positioned = { message, position: placeOf(raw, source) };
    const list = perAvtale.get(avtaleId);
    if (list) list.push(positioned);
    else perAvtale.set(avtaleId, [positioned]);
  }
  return { perAvtale, parked };
}

/** From its texts, when it has them: its bytes are then no objects. */
function parseRaw(raw: RawMessage): ParseResult {
  const { keyText, valueText } = raw;
  const parsed =
    typeof keyText === 'string' && valueText !== undefined ? parseMessageText(keyText, valueText, raw) : undefined;
  return parsed ?? parseMessage(raw.key, raw.value, raw);
}

export function toParked(raw: RawMessage, source: Source, reason: ParkingReason): ParkedMessage {
  const { key, value, writtenAt, deleteBefore } = raw;
  const position = placeOf(raw, source);
  return { position, key, value, writtenAt, deleteBefore, fingerprint: fingerprintOf(raw), ...reason };
}

/** By which a parked message is told from another at its place: a topic made anew may use an offset again. */
export function fingerprintOf({ key, value }: Pick<RawMessage, 'key' | 'value'>): Buffer {
  return fingerprint(key ?? '', '\0', value ?? '');
}

function placeOf({ offset, writtenAt }: RawMessage, { epoch, partition }: Source): Position {
  return { epoch, partition, offset, writtenAt };
}
