import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CHANGEABLE_FIELDS, type Change, type TableSource } from './table-source.ts';

/** Where the source is asked and told, on 127.0.0.1; it counts who comes. */
export interface TableSourceApi {
  url: string;
  /** by «GET /liste», since it started */
  calls: () => Record<string, number>;
  stop: () => Promise<void>;
}

type Answer = { status: number; body?: string; type?: string };
type Handler = (source: TableSource, id: string, body: Record<string, unknown>) => Promise<Answer>;

const MAX_REGISTERED = 100_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const json = (status: number, content: unknown): Answer => ({
  status,
  body: `${JSON.stringify(content)}\n`,
  type: 'application/json',
});
const found = (there: boolean): Answer => (there ? { status: 204 } : json(404, { feil: 'There is no such avtale' }));

const HANDLERS: Record<string, Handler> = {
  'GET /liste': async (source) => ({ status: 200, body: await source.list(), type: 'application/x-ndjson' }),
  'POST /avtaler': async (source, _, { antall = 1, seed = 1 }) => {
    if (!isCount(antall, 1) || !isCount(seed, 0))
      return json(400, { feil: `antall must be 1 to ${String(MAX_REGISTERED)}, and seed a whole number` });
    return json(201, { avtaleIder: await source.register(antall, seed) });
  },
  'PATCH /avtaler/:id': async (source, id, body) => {
    const unknown = Object.keys(body).find((field) => !(CHANGEABLE_FIELDS as string[]).includes(field));
    if (unknown !== undefined) return json(400, { feil: `only these can be changed: ${CHANGEABLE_FIELDS.join(', ')}` });
    return found(await source.change(id, body as Change));
  },
  'DELETE /avtaler/:id': async (source, id) => found(await source.remove(id)),
  'POST /send': async (source, _, { avtaleIder: ids, alle: all }) => {
    if (all === true && ids === undefined) return json(200, { sendt: await source.resend() });
    if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string' && UUID.test(id)))
      return json(400, { feil: 'avtaleIder must be a list of them, or alle true' });
    return json(200, { sendt: await source.resend(ids as string[]) });
  },
};

/** @param port 0 for any that is free */
export async function startTableSourceApi(source: TableSource, port = 0): Promise<TableSourceApi> {
  const calls: Record<string, number> = {};
  const server = createServer((request, response) => void answer(source, calls, request, response));
  await new Promise<void>((ready, failed) => {
    server.once('error', failed).listen(port, '127.0.0.1', ready);
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    calls: () => ({ ...calls }),
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  source: TableSource,
  calls: Record<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, first = '', id = ''] = (request.url ?? '').split('?')[0]?.split('/') ?? [];
  const called = `${request.method ?? ''} /${first}${id === '' ? '' : '/:id'}`;
  // What asks for the counts is not one of the calls that are counted.
  if (called === 'GET /kall') return send(response, json(200, calls));
  // Also what the source knows nothing of: whoever calls it is to be seen.
  const handler = HANDLERS[called];
  const name = handler ? called : 'other';
  calls[name] = (calls[name] ?? 0) + 1;
  if (!handler || (id !== '' && !UUID.test(id))) return send(response, json(404, { feil: 'There is nothing here' }));
  const body = await readBody(request);
  if (body === undefined) return send(response, json(400, { feil: 'The body must be a JSON object' }));
  send(
    response,
    await handler(source, id, body).catch(() =>
      json(503, { feil: 'The table or the topic is away, or a value does not fit' }),
    ),
  );
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part as string;
  if (text === '') return {};
  try {
    const body = JSON.parse(text) as unknown;
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, { status, body, type }: Answer): void {
  response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body);
}

const isCount = (value: unknown, least: number): value is number =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= MAX_REGISTERED;
