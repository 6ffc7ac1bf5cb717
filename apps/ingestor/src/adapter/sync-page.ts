import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { asJsonObject, parseInstant, type JsonObject } from '@tiltak/resource';
import { JsonList, PROBLEMS, Problem, type FieldError } from '@tiltak/platform';
import type { OutgoingMessage } from '../kafka/publisher.ts';
import { PUSHED_AVTALER } from './pushed/avtaler.ts';
import type { Pushed } from './pushed/pushed.ts';
import { Remarks, type Remark, type UnknownFields } from './remarks.ts';

export const SYNC_TYPES = ['FULL', 'DELTA', 'SLETT'] as const;
export type SyncType = (typeof SYNC_TYPES)[number];

export const MAX_RESOURCES = 10_000;
export const MAX_PAGES = 100_000;
/** Far more than anything reduced needs, and less than a broker refuses. */
const MAX_RESOURCE_BYTES = 100_000;
const MAX_ERRORS = 100;
/** Read without a pause. */
const ENTRIES_AT_ONCE = 200;
const SYNC_ID = /^(?!\d{11}$)[A-Za-z0-9_-]{1,100}$/;

/** A page that may be published. */
export interface SyncPage {
  resource: Pushed;
  type: SyncType;
  synkId: string;
  side: number;
  antallSider: number;
  antallTotalt: number;
  messages: OutgoingMessage[];
  /** what decides the order of each of the messages; null of one that only deletes */
  changedAt: (string | null)[];
  /** what the adapter is told of the entries */
  remarks: Remark[];
  /** of what is to be published */
  fingerprint: Buffer;
}

/**
 * @param unknownFields what the adapter's contract says of what is not known
 * @throws Problem 400 that names every entry that is wrong, by index and field; 413 for too many
 */
export async function parsePage(
  type: SyncType,
  body: unknown,
  unknownFields: UnknownFields = 'MELD',
  pushed: Pushed = PUSHED_AVTALER,
): Promise<SyncPage> {
  const errors: FieldError[] = [];
  const remarks = new Remarks(pushed.known, unknownFields, errors);
  const page = asJsonObject(body) ?? {};
  const { metadata, ressurser: resources } = page;
  remarks.checkMembers(page, PAGE_MEMBERS, '', 0);
  remarks.checkMembers(asJsonObject(metadata) ?? {}, METADATA_MEMBERS, 'metadata.', 0);
  const header = parseMetadata(metadata, errors);
  if (!(resources instanceof JsonList)) {
    errors.push({ felt: 'ressurser', melding: 'must be a list' });
    throw invalidPage(errors);
  }
  const isReadable = pushed.readabilityAt(Date.now());
  const reading: Reading = { pushed, type, seenAt: new Map(), errors, remarks, isReadable };
  const messages: OutgoingMessage[] = [];
  const changedAt: (string | null)[] = [];
  for (const [index, resource] of resources.entries()) {
    const message = parseResource(reading, resource, index);
    // Nothing of a page with an error is published: there is nothing to keep.
    if (errors.length === 0) {
      messages.push(message);
      changedAt.push(message.value === null ? null : changedAtOf(pushed, resource));
    }
    // Others want to be answered too.
    if (index % ENTRIES_AT_ONCE === ENTRIES_AT_ONCE - 1) await nextTurn();
  }
  if (header.antallTotalt < resources.length) {
    errors.push({ felt: 'metadata.antallTotalt', melding: 'is less than the entries of this page' });
  }
  if (errors.length > 0) throw invalidPage(errors);
  return {
    resource: pushed,
    type,
    ...header,
    messages,
    changedAt,
    remarks: remarks.list,
    fingerprint: pageFingerprint(messages),
  };
}

const METADATA_MEMBERS = ['synkId', 'side', 'antallSider', 'antallTotalt'];
const PAGE_MEMBERS = ['metadata', 'ressurser'];
const ENTRY_MEMBERS = ['id', 'ressurs'];

function changedAtOf({ order }: Pushed, resource: unknown): string | null {
  const moment = asJsonObject(asJsonObject(resource)?.['ressurs'])?.[order];
  return typeof moment === 'string' ? (parseInstant(moment) ?? null) : null;
}

/** Which page it says that it is, whatever else is wrong with it. */
export function pageOf(body: unknown): { synkId: string | null; side: number | null } {
  const { synkId: syncId, side: page } = asJsonObject(asJsonObject(body)?.['metadata']) ?? {};
  return {
    synkId: typeof syncId === 'string' && SYNC_ID.test(syncId) ? syncId : null,
    side: typeof page === 'number' && Number.isInteger(page) && page > 0 && page <= MAX_PAGES ? page : null,
  };
}

function invalidPage(errors: readonly FieldError[]): Problem {
  return new Problem(
    PROBLEMS.UGYLDIG_FORESPORSEL,
    'The page is not valid; nothing of it is published',
    listedErrors(errors),
  );
}

/** As many as fit in an answer, and how many there are beside. */
export function listedErrors(errors: readonly FieldError[]): { feil: FieldError[]; felter?: { flereFeil: number } } {
  const more = errors.length - MAX_ERRORS;
  return { feil: errors.slice(0, MAX_ERRORS), ...(more > 0 && { felter: { flereFeil: more } }) };
}

function parseMetadata(
  metadata: unknown,
  errors: FieldError[],
): Pick<SyncPage, 'synkId' | 'side' | 'antallSider' | 'antallTotalt'> {
  const object = asJsonObject(metadata);
  if (!object) errors.push({ felt: 'metadata', melding: 'must be an object' });
  const { synkId: syncId, side: page, antallSider: pageCount, antallTotalt: totalCount } = object ?? {};
  const integer = (name: string, value: unknown, min: number, max: number): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    errors.push({ felt: `metadata.${name}`, melding: `must be a whole number from ${String(min)} to ${String(max)}` });
    return max;
  };
  if (typeof syncId !== 'string' || !SYNC_ID.test(syncId)) {
    errors.push({
      felt: 'metadata.synkId',
      melding: 'must be 1 to 100 of A–Z, a–z, 0–9, _ and -, and no national ident',
    });
  }
  const pages = integer('antallSider', pageCount, 1, MAX_PAGES);
  return {
    synkId: String(syncId),
    antallSider: pages,
    side: integer('side', page, 1, pages),
    antallTotalt: integer('antallTotalt', totalCount, 0, MAX_PAGES * MAX_RESOURCES),
  };
}

/** What the entries of a page are read with. */
interface Reading {
  pushed: Pushed;
  type: SyncType;
  /** index of each key so far */
  seenAt: Map<string, number>;
  errors: FieldError[];
  remarks: Remarks;
  isReadable: ReturnType<Pushed['readabilityAt']>;
}

function parseResource(reading: Reading, resource: unknown, index: number): OutgoingMessage {
  const { pushed, type, seenAt, errors, remarks } = reading;
  const object = asJsonObject(resource);
  const id = object?.['id'];
  if (object) remarks.checkMembers(object, ENTRY_MEMBERS, `${pathOf(index)}.`, index);
  const key = typeof id === 'string' ? pushed.toKey(id) : undefined;
  if (!object || key === undefined) {
    errors.push({ felt: `${pathOf(index)}.id`, melding: pushed.keyForm });
    return { key: '', value: null };
  }
  const earlierIndex = seenAt.get(key);
  if (earlierIndex === undefined) seenAt.set(key, index);
  else errors.push({ felt: `${pathOf(index)}.id`, melding: `is the id of ${pathOf(earlierIndex)} too` });
  if (type === 'SLETT') return { key, value: null };
  const content = asJsonObject(object['ressurs']);
  if (!content) {
    errors.push({ felt: `${pathOf(index)}.ressurs`, melding: 'must be an object' });
    return { key, value: null };
  }
  return { key, value: parseContent(reading, key, content, index) };
}

const pathOf = (index: number): string => `ressurser[${String(index)}]`;

/** The message, when it can be read as the stream's are; nothing is published of what this system doesn't keep. */
function parseContent(reading: Reading, key: string, content: JsonObject, index: number): Buffer {
  const { pushed, errors, remarks, isReadable } = reading;
  const source = pushed.reduce(content);
  const path = `${pathOf(index)}.ressurs`;
  remarks.checkResource(content, path, index);
  refuseEndless(source, index, errors);
  pushed.refuseOtherTypes(content, (field, message) => errors.push({ felt: `${path}.${field}`, melding: message }));
  const json = JSON.stringify(source);
  const value = Buffer.from(json);
  if (value.length > MAX_RESOURCE_BYTES) {
    errors.push({ felt: path, melding: `is larger than ${String(MAX_RESOURCE_BYTES)} bytes` });
    return value;
  }
  // Without being parsed once more. What is not so is read again as the stream would, to name what is wrong.
  if (json.includes('\\u0000') || !isReadable(source, key)) nameFaults(reading, source, key, value, index);
  return value;
}

/** The reading stops at the first field that is wrong: without that one, it goes on to the next. */
function nameFaults({ pushed, errors }: Reading, source: JsonObject, id: string, value: Buffer, index: number): void {
  const path = pathOf(index);
  const key = Buffer.from(id);
  // The message is written as soon as the page is accepted.
  const origin = { writtenAt: Date.now() };
  for (let parsed = pushed.parse(key, value, origin); !parsed.ok;) {
    const { code, field } = parsed.reason;
    const reason = code === 'FREMTIDIG' ? "is more than 24 hours ahead of the server's clock" : parsed.reason.reason;
    if (field === 'key') errors.push({ felt: `${path}.id`, melding: `differs from the ${pushed.key} of its ressurs` });
    else errors.push({ felt: field === null ? `${path}.ressurs` : `${path}.ressurs.${field}`, melding: reason });
    if (field === null || field === 'key' || !(field in source)) break;
    if (field === pushed.key) source[field] = id;
    else if (field === pushed.order) source[field] = '2000-01-01T00:00:00Z';
    else Reflect.deleteProperty(source, field);
    parsed = pushed.parse(key, Buffer.from(JSON.stringify(source)), origin);
  }
}

/** 1e400 is read as Infinity, and would be written as null. */
function refuseEndless(source: JsonObject, index: number, errors: FieldError[]): void {
  for (const field in source) {
    const value = source[field];
    if (typeof value !== 'number' || Number.isFinite(value)) continue;
    errors.push({ felt: `${pathOf(index)}.ressurs.${field}`, melding: 'is a number beyond what can be read' });
    Reflect.deleteProperty(source, field);
  }
}

const FINGERPRINT_CHUNK = 64 * 1_024;
/** An id, and a line end after it and after the value. */
const MAX_AROUND_VALUE = 40;

/** Piece by piece: a large page is not held in memory twice, and a piece for each entry costs more than the hash. */
function pageFingerprint(messages: readonly OutgoingMessage[]): Buffer {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(FINGERPRINT_CHUNK + MAX_RESOURCE_BYTES + MAX_AROUND_VALUE);
  let length = 0;
  for (const { key, value } of messages) {
    length += chunk.write(`${key}\n`, length, 'latin1');
    if (value) length += value.copy(chunk, length);
    chunk[length++] = NEWLINE;
    if (length < FINGERPRINT_CHUNK) continue;
    hash.update(chunk.subarray(0, length));
    length = 0;
  }
  return hash.update(chunk.subarray(0, length)).digest();
}

const NEWLINE = 0x0a;
