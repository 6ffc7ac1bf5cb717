import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call that went through. */
export interface Passed {
  method: string;
  path: string;
  /** of the body that was sent */
  bytes: number;
  status: number;
}

/**
 * Stands between a caller and an app, and counts what passes: what an organisation's own network would see. It can also be
 * the network that spoils what is answered.
 */
export class CountingProxy {
  readonly passed: Passed[] = [];
  /** told of each call when it has been answered */
  onPassed: (passed: Passed) => void = () => undefined;
  /** what becomes of the text of each answer; undefined: nothing */
  spoil: ((text: string) => string) | undefined;
  private readonly server;
  private readonly to: URL;

  private constructor(to: string) {
    this.to = new URL(to);
    this.server = createServer((request, response) => this.pass(request, response));
  }

  static async start(to: string): Promise<CountingProxy> {
    const proxy = new CountingProxy(to);
    await new Promise<void>((ready) => proxy.server.listen(0, '127.0.0.1', ready));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((done) => this.server.close(() => done()));
    this.server.closeAllConnections();
    await closed;
  }

  private pass(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url: path = '', headers } = request;
    let bytes = 0;
    const { spoil } = this;
    // What is compressed can't be spoilt as text.
    const asked = spoil ? { ...headers, 'accept-encoding': 'identity' } : headers;
    const onward = ask({ host: this.to.hostname, port: this.to.port, method, path, headers: asked }, (answer) => {
      if (spoil) void spoilt(answer, response, spoil);
      else answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
      const passed = { method, path, bytes, status: answer.statusCode ?? 0 };
      this.passed.push(passed);
      this.onPassed(passed);
    });
    onward.on('error', () => response.destroy());
    request.on('error', () => onward.destroy()).on('data', (part: Buffer) => (bytes += part.length));
    request.pipe(onward);
  }
}

async function spoilt(
  answer: IncomingMessage,
  response: ServerResponse,
  spoil: (text: string) => string,
): Promise<void> {
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += part as string;
  const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, headers).end(spoil(text));
}
