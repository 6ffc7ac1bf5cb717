import { createReadStream, createWriteStream } from 'node:fs';
import { stat, utimes } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UNIT_KINDS, type Register, type UnitKind } from './register.ts';

const BASE = '/enhetsregisteret/api';
/** page × size, of any question. */
const MAX_REACH = 10_000;

/** What befalls a request in the place of an answer: a status, or a connection that ends in the middle of it. */
export type RegisterFault = number | 'RESET' | undefined;

export interface RegisterServer {
  /** up to and with `/enhetsregisteret/api` */
  url: string;
  /** Makes the files of this moment; they are fetched until they are made anew. */
  makeFiles: () => Promise<void>;
  /** Asked before each answer. */
  setFaults: (next: (path: string) => RegisterFault) => void;
  stop: () => Promise<void>;
}

/**
 * The register over HTTP, as its open data are: files, feeds and single units.
 *
 * @param directory for its files
 * @param port 0: a free one
 */
export async function startRegisterServer(register: Register, directory: string, port = 0): Promise<RegisterServer> {
  let faultOf: (path: string) => RegisterFault = () => undefined;
  const server = createServer((request, response) => {
    const fault = faultOf(request.url ?? '');
    if (typeof fault === 'number') response.writeHead(fault).end();
    else if (fault === 'RESET') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{');
      setImmediate(() => response.destroy());
    } else {
      answer(register, directory, request, response).catch(() => response.destroy());
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${BASE}`,
    makeFiles: async () => {
      for (const kind of UNIT_KINDS) await makeFile(register, kind, fileOf(directory, kind));
    },
    setFaults: (next) => (faultOf = next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const fileOf = (directory: string, kind: UnitKind): string => join(directory, `${kind}-lastned.json.gz`);

async function makeFile(register: Register, kind: UnitKind, file: string): Promise<void> {
  const text = function* (): Generator<string> {
    let before = '[ ';
    for (const unit of register.file(kind)) {
      yield before + JSON.stringify(unit, null, 2);
      before = ', ';
    }
    yield before === '[ ' ? '[ ]' : ' ]';
  };
  await pipeline(Readable.from(text()), createGzip({ level: 1 }), createWriteStream(file));
  await utimes(file, new Date(), new Date(register.now));
}

async function answer(
  register: Register,
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://register');
  const [first = '', second = ''] = pathname.replace(`${BASE}/`, '').split('/');
  const kind = UNIT_KINDS.find((name) => name === (first === 'oppdateringer' ? second : first));
  if (!kind) return json(response, 404, {});
  if (first === 'oppdateringer') return answerUpdates(register, kind, searchParams, response);
  if (second === 'lastned') return answerFile(fileOf(directory, kind), request.method === 'HEAD', response);
  const unit = register.read(kind, second);
  if (unit === 'REMOVED') return json(response, 410, { organisasjonsnummer: second, respons_klasse: 'FjernetEnhet' });
  json(response, unit ? 200 : 404, unit ?? {});
}

async function answerFile(file: string, isHead: boolean, response: ServerResponse): Promise<void> {
  const { mtime, size } = await stat(file);
  response.writeHead(200, {
    'content-type': 'application/vnd.brreg.enhetsregisteret.enhet.v2+gzip;charset=UTF-8',
    'content-length': String(size),
    'last-modified': mtime.toUTCString(),
  });
  if (isHead) response.end();
  else await pipeline(createReadStream(file), response);
}

function answerUpdates(register: Register, kind: UnitKind, asked: URLSearchParams, response: ServerResponse): void {
  const [page, size] = [Number(asked.get('page') ?? 0), Number(asked.get('size') ?? 20)];
  if ((page + 1) * size > MAX_REACH) {
    json(response, 400, { status: 400, feilmelding: 'page * size' });
    return;
  }
  const id = asked.get('oppdateringsid');
  const dato = asked.get('dato');
  const from = {
    ...(id === null ? {} : { oppdateringsid: Number(id) }),
    ...(dato === null ? {} : { dato: Date.parse(dato) }),
  };
  const found = register.updatesFrom(kind, from);
  const name = kind === 'enheter' ? 'oppdaterteEnheter' : 'oppdaterteUnderenheter';
  const shown = found.slice(page * size, (page + 1) * size).map((update) => ({
    ...update,
    _links: { [kind.slice(0, -2)]: { href: `https://data.brreg.no${BASE}/${kind}/${update.organisasjonsnummer}` } },
  }));
  json(response, 200, {
    // Absent when there is nothing, as HAL has it.
    ...(shown.length === 0 ? {} : { _embedded: { [name]: shown } }),
    _links: { self: { href: `https://data.brreg.no${BASE}/oppdateringer/${kind}` } },
    page: { size, totalElements: found.length, totalPages: Math.ceil(found.length / size), number: page },
  });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
