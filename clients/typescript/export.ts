import type { QueryApiClient, Schemas } from './client.ts';
import { withId } from './copy-content.ts';
import { answerOf, momentOf } from './problem.ts';
import type { AvtalePart } from './store.ts';
import { parseTolerant } from './tolerant.ts';

/** Everything, as of one moment. */
export interface Exported<Avtale = Schemas['Avtale']> {
  /** where to go on in the change feed */
  position: string;
  /** how many avtaler there are */
  count: number;
  /** everything that the source published up to this moment is in it */
  updatedTo: Date | undefined;
  /** some hundred at a time; ends with an error when the export is cut off before it is whole */
  avtaler: AsyncIterable<Avtale[]>;
  /** for who does not read it to its end */
  close: () => void;
}

/** The export ended before all of it had come, or did not go on: nothing of it may be used as everything. */
export class CutOffError extends Error {
  constructor(read: number, count: number, options?: ErrorOptions) {
    super(`The export was cut off after ${String(read)} of ${String(count)} avtaler`, options);
  }
}

const BATCH = 500;
const SILENT_MS = 60_000;

export interface ReadExportOptions {
  /** those of an abonnement of yours; the position is one of its feed */
  abonnement?: string;
  signal?: AbortSignal;
}

/**
 * All avtaler that you may see, or those of an abonnement of yours, whole or some fields of each.
 *
 * @throws ProblemError, UnansweredError, CutOffError, TokenError
 */
export function readExport(client: QueryApiClient, options?: ReadExportOptions): Promise<Exported>;
/** @param options with `felter`: these fields of each, and its id. Only they need a grant */
export function readExport<Field extends Schemas['Avtalefelt']>(
  client: QueryApiClient,
  options: ReadExportOptions & { felter: readonly Field[] },
): Promise<Exported<AvtalePart<Field>>>;
export async function readExport(
  client: QueryApiClient,
  options: ReadExportOptions & { felter?: readonly Schemas['Avtalefelt'][] } = {},
): Promise<Exported> {
  const { abonnement, felter, signal } = options;
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const params = {
    query: { ...(abonnement !== undefined && { abonnement }), ...(felter && { felter: withId(felter) }) },
  };
  const asked = client.GET('/api/v1/eksport', { params, parseAs: 'stream', signal: both });
  const body = await answerOf(asked);
  if (!body) throw new CutOffError(0, 0);
  const lines = linesOf(body, stop, signal);
  const { posisjon: position, antall: count } = await headOf(lines);
  const updatedTo = momentOf((await asked).response);
  return { position, count, updatedTo, avtaler: batches(lines, count), close: () => stop.abort() };
}

async function headOf(lines: AsyncGenerator<string, void>): Promise<Schemas['Eksporthode']> {
  try {
    const first = await lines.next();
    if (!first.done) return parseTolerant(first.value) as Schemas['Eksporthode'];
  } catch (cause) {
    await lines.return();
    throw new CutOffError(0, 0, { cause });
  }
  throw new CutOffError(0, 0);
}

async function* batches(lines: AsyncIterable<string>, count: number): AsyncGenerator<Schemas['Avtale'][], void> {
  let batch: Schemas['Avtale'][] = [];
  let read = 0;
  try {
    for await (const line of lines) {
      batch.push(parseTolerant(line) as Schemas['Avtale']);
      read++;
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  } catch (cause) {
    // Half a line, a connection that breaks, silence: it is an end like any other.
    throw new CutOffError(read, count, { cause });
  }
  if (read !== count) throw new CutOffError(read, count);
  if (batch.length > 0) yield batch;
}

/** The lines of a body. One that is silent for too long is given up. */
async function* linesOf(
  body: ReadableStream<Uint8Array>,
  stop: AbortController,
  signal?: AbortSignal,
): AsyncGenerator<string, void> {
  let rest = '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  // Ended by hand: what leads from a signal to the body is a Request, which nobody holds once its headers have come.
  const end = (): void => void reader.cancel().catch(() => undefined);
  const signals = [stop.signal, ...(signal ? [signal] : [])];
  for (const one of signals) one.addEventListener('abort', end);
  let timer = setTimeout(() => stop.abort(), SILENT_MS);
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      clearTimeout(timer);
      const parts = (rest + decoder.decode(read.value, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
      timer = setTimeout(() => stop.abort(), SILENT_MS);
    }
    if (rest !== '') yield rest;
  } finally {
    clearTimeout(timer);
    // Whoever stops reading has no need of the rest.
    stop.abort();
    for (const one of signals) one.removeEventListener('abort', end);
  }
}
