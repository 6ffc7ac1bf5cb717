import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: unknown;
}

export type Answer = (seen: Seen, response: ServerResponse) => unknown;

/** A service that answers as a test says, over HTTP; one answer for each request, and the last for all that follow. */
export class Service {
  readonly seen: Seen[] = [];
  answers: Answer[] = [];
  private answering = 0;
  private readonly server = createServer((request, response) => void this.answer(request, response));

  static async start(): Promise<Service> {
    const service = new Service();
    await new Promise<void>((done) => service.server.listen(0, '127.0.0.1', done));
    return service;
  }

  /** Until no client holds a connection that is being answered. */
  async letGo(): Promise<void> {
    while (this.answering > 0) await new Promise((later) => setTimeout(later, 10));
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.answering++;
    response.once('close', () => this.answering--);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const json = text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
    const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: json };
    this.seen.push(seen);
    const [first, ...rest] = this.answers;
    if (rest.length > 0) this.answers = rest;
    if (first) await first(seen, response);
    else response.destroy();
  }
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  return (_, response) => response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
}

/** An export. */
export function lines(all: unknown[]): Answer {
  return (_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/x-ndjson' })
      .end(all.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
