import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { UNIT_KINDS, type UnitKind } from './register-api.ts';

type Json = Record<string, unknown>;
/** An answer in the place of the right one. */
export type Answer = (response: ServerResponse) => void;

const BASE = '/enhetsregisteret/api';

/** A register that says exactly what a test has it say, right or wrong, over HTTP. */
export class ScriptedRegister {
  /** by number: as it is answered, or 410 */
  readonly units = new Map<string, Json | 'REMOVED'>();
  readonly feeds: Record<UnitKind, Json[]> = { enheter: [], underenheter: [] };
  /** of `enheter`; underenheter has none */
  file: Json[] = [];
  made = new Date('2026-01-05T04:00:00Z');
  /** by how the path begins: the next answers there, one for each question */
  readonly instead = new Map<string, Answer[]>();
  readonly asked: string[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => this.answer(request.url ?? '', request.method ?? '', response));
  }

  static async start(): Promise<ScriptedRegister> {
    const register = new ScriptedRegister();
    register.server.listen(0, '127.0.0.1');
    await once(register.server, 'listening');
    return register;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}${BASE}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Of main units, at that moment; its id is the next one. */
  tell(organisasjonsnummer: string, dato: string, endringstype = 'Endring', oppdateringsid?: number): void {
    const { enheter: feed } = this.feeds;
    feed.push({ oppdateringsid: oppdateringsid ?? feed.length + 1, dato, organisasjonsnummer, endringstype });
  }

  private answer(url: string, method: string, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://register');
    const path = pathname.replace(`${BASE}/`, '');
    if (method === 'GET') this.asked.push(path);
    const other = [...this.instead].find(([start, answers]) => path.startsWith(start) && answers.length > 0);
    const instead = method === 'GET' ? other?.[1].shift() : undefined;
    if (instead) return instead(response);
    const kind = UNIT_KINDS.find((name) => path.split('/').includes(name)) ?? 'enheter';
    if (path.startsWith('oppdateringer/')) return this.answerFeed(kind, searchParams, response);
    if (path.endsWith('/lastned'))
      return packed(gzipSync(JSON.stringify(kind === 'enheter' ? this.file : [])), this.made)(response);
    const unit = this.units.get(path.split('/')[1] ?? '');
    json(unit === 'REMOVED' ? 410 : unit ? 200 : 404, unit ?? {})(response);
  }

  private answerFeed(kind: UnitKind, asked: URLSearchParams, response: ServerResponse): void {
    const from = Number(asked.get('oppdateringsid') ?? 0);
    const since = asked.get('dato') ?? '';
    const lines = this.feeds[kind].filter(
      ({ oppdateringsid: id, dato }) => Number(id) >= from && String(dato) >= since,
    );
    page(kind, lines)(response);
  }
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** A page of a feed, of whatever lines. */
export const page = (kind: UnitKind, lines: unknown): Answer =>
  json(200, {
    _embedded: { [kind === 'enheter' ? 'oppdaterteEnheter' : 'oppdaterteUnderenheter']: lines },
  });

/** A file, of whatever bytes. */
export const packed =
  (bytes: Uint8Array, made = new Date('2026-01-05T04:00:00Z'), headers: Record<string, string> = {}): Answer =>
  (response) =>
    response
      .writeHead(200, {
        'content-type': 'application/vnd.brreg.enhetsregisteret.enhet.v2+gzip;charset=UTF-8',
        'last-modified': made.toUTCString(),
        ...headers,
      })
      .end(bytes);

/** Begins an answer, and says no more. */
export const silent =
  (bytes?: Uint8Array): Answer =>
  (response) => {
    if (bytes) response.writeHead(200, { 'content-type': 'application/json' }).write(bytes);
  };
