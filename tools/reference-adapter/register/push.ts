import { randomUUID } from 'node:crypto';
import { RefusedError, type AdapterApi, type Entry, type Sync } from '../api.ts';
import { send, settle } from '../sync.ts';
import type { RegisterCopy, Row } from './copy.ts';

export interface PushOptions {
  pageSize: number;
  concurrency: number;
  /** lets a full sync delete as much as it would */
  confirm: boolean;
  progress: (done: number, pages: number) => void;
}

/** What became of changes. */
export interface Pushed {
  sent: number;
  /** a sync of each page of them, as it stood at last */
  syncs: Sync[];
  /** which of them the ingestor takes in no page, and why */
  refused: string[];
}

/**
 * Sends what has changed since the last time. Sent again, it changes nothing: what was not noted as sent when the adapter
 * ended is sent once more. A unit that is refused holds no other.
 */
export async function pushChanges(api: AdapterApi, copy: RegisterCopy, options: PushOptions): Promise<Pushed> {
  const { pageSize } = options;
  const pushed: Pushed = { sent: 0, syncs: [], refused: [] };
  for (let rows = copy.unsent(pageSize); rows.length > 0; rows = copy.unsent(pageSize)) {
    const wrong = await sendAll(api, 'PATCH', rows.map(toEntry), options, pushed);
    if (wrong.length > 0) copy.markRefused(wrong);
    else copy.markSent(rows);
  }
  for (let gone = copy.removed(pageSize); gone.length > 0; gone = copy.removed(pageSize)) {
    const entries = gone.map((id) => ({ id }));
    const wrong = await sendAll(api, 'DELETE', entries, options, pushed);
    if (wrong.length > 0) throw new Error(`The ingestor deletes none of: ${wrong.join(', ')}`);
    copy.markRemoved(gone);
  }
  pushed.syncs = await Promise.all(pushed.syncs.map((sync) => settle(api, sync, options)));
  return pushed;
}

/** @returns those for which nothing of it was taken */
async function sendAll(
  api: AdapterApi,
  method: 'PATCH' | 'DELETE',
  entries: Entry[],
  { pageSize, concurrency }: PushOptions,
  pushed: Pushed,
): Promise<string[]> {
  const progress = (): void => undefined;
  try {
    pushed.syncs.push(await send(api, entries, { method, syncId: randomUUID(), pageSize, concurrency, progress }));
    pushed.sent += entries.length;
    return [];
  } catch (error) {
    if (!(error instanceof RefusedError) || error.entries.length === 0) throw error;
    pushed.refused.push(...error.entries.map(({ id, wrong }) => `${id}: ${wrong}`));
    return [...new Set(error.entries.map(({ id }) => id))];
  }
}

/** Its pages are on their way: nothing is read into the copy before all of them are in, so that each is as it was. */
const SENDING = 'full-synk';
/** All of its pages are in: it deletes, or waits to be confirmed. */
const ENDING = 'full-synk-inne';
/** One that has ended by itself is the one that is asked for again, when it is from the same day. */
const SAME_MS = 86_400_000;

/** Whether a full sync was broken off: it goes on before anything is read. */
export function isUnderWay(copy: RegisterCopy): boolean {
  return copy.note(SENDING) !== undefined;
}

/**
 * Sends the whole copy as a full sync, those that are struck off too. One that was broken off goes on where it was; when
 * it was broken off so long ago that it has expired, it begins anew.
 */
export async function pushAll(api: AdapterApi, copy: RegisterCopy, options: PushOptions): Promise<Sync> {
  const resumed = copy.note(SENDING);
  const known = resumed === undefined ? undefined : await find(api, resumed);
  const goesOn = resumed !== undefined && (known === undefined || GOES_ON.has(known.tilstand));
  const syncId = goesOn ? resumed : randomUUID();
  copy.setNote(SENDING, syncId);
  try {
    const isIn = goesOn && known !== undefined && known.tilstand !== 'MOTTAR';
    const sync = isIn ? known : await sendPages(syncId, api, copy, options);
    copy.transaction(() => {
      copy.markAllSent();
      copy.setNote(SENDING, undefined);
      copy.setNote(ENDING, syncId);
    });
    return await end(api, copy, sync, options);
  } catch (error) {
    if (!(error instanceof RefusedError) || !IS_OVER.has(error.status)) throw error;
    copy.setNote(SENDING, undefined);
    // It is over meanwhile, or its pages are of another size now.
    if (goesOn && error.entries.length === 0) return pushAll(api, copy, options);
    throw refusalOf(error);
  }
}

const GOES_ON = new Set(['MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE', 'FULLFOERT']);
const IS_OVER = new Set([400, 409]);

function refusalOf(error: RefusedError): Error {
  if (error.entries.length === 0) return error;
  const told = error.entries.map(({ id, wrong }) => `  ${id}: ${wrong}`);
  return new Error(`The full sync is refused:\n${told.join('\n')}`, { cause: error });
}

function sendPages(syncId: string, api: AdapterApi, copy: RegisterCopy, options: PushOptions): Promise<Sync> {
  const { pageSize, concurrency, progress } = options;
  const starts = copy.pageStarts(pageSize);
  const page = (n: number): Entry[] => copy.page(starts[n - 1] ?? '', pageSize).map(toEntry);
  const source = { length: copy.count(), page };
  return send(api, source, { method: 'POST', syncId, pageSize, concurrency, progress });
}

/**
 * What has become of a full sync whose pages were in when the adapter ended, or that waits to be confirmed.
 *
 * @returns undefined when there is none of which there is anything to say
 */
export async function endEarlier(api: AdapterApi, copy: RegisterCopy, options: PushOptions): Promise<Sync | undefined> {
  const syncId = copy.note(ENDING);
  const known = syncId === undefined ? undefined : await find(api, syncId);
  const isSame = known !== undefined && Date.parse(known.startet) > Date.now() - SAME_MS;
  if (known?.tilstand === 'SLETTER' || known?.tilstand === 'VENTER_PAA_BEKREFTELSE') {
    return end(api, copy, known, options);
  }
  copy.setNote(ENDING, undefined);
  return known?.tilstand === 'FULLFOERT' && isSame ? known : undefined;
}

async function end(api: AdapterApi, copy: RegisterCopy, sync: Sync, options: PushOptions): Promise<Sync> {
  const ended = await settle(api, sync, options);
  if (ended.tilstand !== 'VENTER_PAA_BEKREFTELSE') copy.setNote(ENDING, undefined);
  return ended;
}

/** Undefined: no page of it is in. */
async function find(api: AdapterApi, syncId: string): Promise<Sync | undefined> {
  try {
    return await api.hentSynk(syncId);
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return undefined;
    throw error;
  }
}

function toEntry({ nr, innhold, sist_endret: sistEndret }: Row): Entry {
  return { id: nr, ressurs: { ...(JSON.parse(innhold) as Record<string, unknown>), sistEndret } };
}
