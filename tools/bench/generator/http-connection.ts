import { connect, type Socket } from 'node:net';

/** What came back; `body` only when it was asked for. */
export interface Answer {
  status: number;
  body: string;
  /** seconds, of a refusal */
  retryAfter: number | undefined;
}

type Done = (answer: Answer | undefined) => void;

/**
 * One connection that is kept open, with one request under way at a time. As little as can be: what the generator itself
 * uses is taken from the two cores that it measures.
 */
export class HttpConnection {
  private readonly port: number;
  private readonly host: string;
  private readonly keepBody: boolean;
  private socket: Socket | undefined;
  private parts: Buffer[] = [];
  private size = 0;
  /** of head and body; undefined until the head is there, or when it comes in chunks */
  private expected: number | undefined;
  private headEnd = -1;
  private done: Done | undefined;

  constructor(url: string, { keepBody = false } = {}) {
    const { hostname, port } = new URL(url);
    this.host = hostname;
    this.port = Number(port);
    this.keepBody = keepBody;
  }

  /** @param done called once: with the answer, or with undefined when the connection broke */
  send(request: Buffer, done: Done): void {
    this.done = done;
    if (this.socket === undefined || this.socket.destroyed || !this.socket.writable) this.open();
    this.socket?.write(request);
  }

  close(): void {
    this.done = undefined;
    this.socket?.destroy();
  }

  private open(): void {
    const socket = connect({ port: this.port, host: this.host, noDelay: true });
    this.socket = socket;
    this.clear();
    const broken = (): void => {
      if (this.socket === socket) this.finish(undefined);
    };
    socket
      .on('data', (part) => this.take(part))
      .on('error', broken)
      .on('end', () => socket.destroy())
      .on('close', broken);
  }

  private take(part: Buffer): void {
    this.parts.push(part);
    this.size += part.length;
    if (this.headEnd < 0) this.readHead();
    if (this.headEnd < 0) return;
    const complete = this.expected === undefined ? this.endsChunks() : this.size >= this.expected;
    if (complete) this.finish(this.answer());
  }

  private readHead(): void {
    const all = this.whole();
    this.headEnd = all.indexOf('\r\n\r\n');
    if (this.headEnd < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.head());
    this.expected = length ? this.headEnd + 4 + Number(length[1]) : undefined;
  }

  /** JSON holds no line break of its own, so the last chunk can't be mistaken. */
  private endsChunks(): boolean {
    const all = this.whole();
    return all.length >= 5 && all.toString('latin1', all.length - 5) === '0\r\n\r\n';
  }

  private whole(): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.parts;
    if (others.length === 0) return first;
    const all = Buffer.concat(this.parts);
    this.parts = [all];
    return all;
  }

  private head(): string {
    return this.whole().toString('latin1', 0, this.headEnd);
  }

  private answer(): Answer {
    const all = this.whole();
    const status = Number(all.toString('latin1', 9, 12));
    const after = status === 200 ? null : /\r\nretry-after: *(\d+)/i.exec(this.head());
    const body = this.keepBody ? this.bodyOf(all) : '';
    return { status, body, retryAfter: after ? Number(after[1]) : undefined };
  }

  private bodyOf(all: Buffer): string {
    const rest = all.subarray(this.headEnd + 4);
    if (this.expected !== undefined) return rest.toString('utf8');
    const chunks: Buffer[] = [];
    for (let at = 0; ;) {
      const line = rest.indexOf('\r\n', at);
      const length = Number.parseInt(rest.toString('latin1', at, line), 16);
      if (!(length > 0)) return Buffer.concat(chunks).toString('utf8');
      chunks.push(rest.subarray(line + 2, line + 2 + length));
      at = line + 4 + length;
    }
  }

  private finish(answer: Answer | undefined): void {
    const { done } = this;
    this.done = undefined;
    this.clear();
    done?.(answer);
  }

  private clear(): void {
    this.parts = [];
    this.size = 0;
    this.expected = undefined;
    this.headEnd = -1;
  }
}

export interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
}

/** As it goes on the wire. */
export function encodeRequest({ method, path, body }: HttpRequest, headers: Record<string, string>): Buffer {
  const all = {
    host: 'localhost',
    ...headers,
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
}
