import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A page on its way to the ingestor, or a confirmation. */
export interface PageOnRoad {
  method: 'POST' | 'PATCH' | 'DELETE' | 'CONFIRM';
  synkId: string;
  side: number;
  entries: number;
  /** the ingestor has taken it, and the answer is on its way back */
  isTaken: boolean;
}

/** The way from an adapter to its ingestor: who stands beside it sees each page go by, before it is taken and after. */
export class WatchedRoad {
  /** asked at each step of each page; the step waits for it */
  watch: (page: PageOnRoad) => Promise<void> | void = () => undefined;
  private readonly target: string;
  private readonly server: Server;
  private readonly passing = new Set<Promise<void>>();

  private constructor(target: string) {
    this.target = target;
    this.server = createServer((request, response) => {
      // Who asked is gone.
      const passing = this.pass(request, response).catch(() => void response.destroy());
      this.passing.add(passing);
      void passing.finally(() => this.passing.delete(passing));
    });
  }

  static async start(target: string): Promise<WatchedRoad> {
    const road = new WatchedRoad(target);
    road.server.listen(0, '127.0.0.1');
    await once(road.server, 'listening');
    return road;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Until nothing is on it any more, also of who is gone. */
  async empty(): Promise<void> {
    await Promise.all(this.passing);
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close').catch(() => undefined);
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const body = await buffer(request);
    const page = seenIn(method, url, body);
    if (page) await this.watch(page);
    const { authorization = '', 'content-type': type = '' } = headers;
    const answer = await fetch(`${this.target}${url}`, {
      method,
      headers: { authorization, ...(body.length > 0 && { 'content-type': type }) },
      body: body.length > 0 ? body : null,
    });
    const text = await answer.text();
    if (page && answer.ok) await this.watch({ ...page, isTaken: true });
    const retryAfter = answer.headers.get('retry-after');
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? '',
      ...(retryAfter !== null && { 'retry-after': retryAfter }),
    });
    response.end(text);
  }
}

function seenIn(method: string, url: string, body: Buffer): PageOnRoad | undefined {
  const nothing = { synkId: '', side: 0, entries: 0, isTaken: false };
  if (url.endsWith('/bekreft')) return { ...nothing, method: 'CONFIRM' };
  if (!url.endsWith('/synk') || (method !== 'POST' && method !== 'PATCH' && method !== 'DELETE')) return undefined;
  const { metadata, ressurser: entries } = JSON.parse(body.toString()) as {
    metadata: { synkId: string; side: number };
    ressurser: unknown[];
  };
  return { method, synkId: metadata.synkId, side: metadata.side, entries: entries.length, isTaken: false };
}
