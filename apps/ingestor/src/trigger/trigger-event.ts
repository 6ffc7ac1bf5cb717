import { encodePosition, type FeedPosition } from '@tiltak/database';
import type { OutgoingMessage } from '../kafka/publisher.ts';

export const EVENT_TYPES = {
  ENDRET: 'no.nav.tiltak.avtale.endret',
  SLETTET: 'no.nav.tiltak.avtale.slettet',
} as const;

/** A line of the change feed. */
export interface FeedLine extends FeedPosition {
  avtaleId: string;
  type: keyof typeof EVENT_TYPES;
  /** UTC, when its transaction began */
  moment: string;
}

/**
 * A CloudEvent 1.0 in structured mode: all of it is the value of the message. It says that an avtale is another than it
 * was, and nothing of what it is: whoever wants to know asks the query-api, which knows what they may see.
 */
export interface TriggerEvent {
  specversion: '1.0';
  /** the position: a line that is told of twice has the same, and no other line ever has it */
  id: string;
  source: string;
  type: (typeof EVENT_TYPES)[keyof typeof EVENT_TYPES];
  /** avtaleId, an opaque id */
  subject: string;
  time: string;
  /** of the extension of this name: as text it is in the order of the feed, as long as the epoch is the same */
  sequence: string;
  /** of the extension of this name: the key of the message */
  partitionkey: string;
  datacontenttype: 'application/json';
  data: {
    avtaleId: string;
    /** of the change feed: what `hentEndringer` goes on from, and a look-up's `Minst-Posisjon` */
    posisjon: string;
    /** of the change feed: another one means that positions start anew, as after a restored backup */
    epoke: string;
  };
}

export const sourceOf = (organisasjon: string): string => `/tiltak-datadeling/${organisasjon}`;

export function toEvent(line: FeedLine, epoch: string, source: string): TriggerEvent {
  const { avtaleId, type, moment } = line;
  const position = encodePosition(epoch, line);
  return {
    specversion: '1.0',
    id: position,
    source,
    type: EVENT_TYPES[type],
    subject: avtaleId,
    time: moment,
    sequence: sequenceOf(line),
    partitionkey: avtaleId,
    datacontenttype: 'application/json',
    data: { avtaleId, posisjon: position, epoke: epoch },
  };
}

export function toMessage(event: TriggerEvent): OutgoingMessage {
  return { key: event.partitionkey, value: Buffer.from(JSON.stringify(event)), headers: HEADERS };
}

/** How one knows a CloudEvent in structured mode on Kafka. */
export const HEADERS = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };

/** Of 63 bits. */
const DIGITS = 19;

function sequenceOf({ tx, sequenceNumber }: FeedPosition): string {
  return `${String(tx).padStart(DIGITS, '0')}.${String(sequenceNumber).padStart(DIGITS, '0')}`;
}
