import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { wire, WireReader } from './wire.ts';

export interface BrokerAddress {
  host: string;
  port: number;
}

export interface BrokerConnectionOptions {
  tls: ConnectionOptions | false;
  clientId: string;
  /** for connecting, and for each answer */
  timeoutMs: number;
}

/** A request in one version of its layout. */
export interface BrokerRequest<T> {
  apiKey: number;
  version: number;
  /** whether this version has tagged fields, in its header too */
  flexible: boolean;
  body: Buffer;
  /** reads the answer, of which the header is read already */
  read: (answer: WireReader) => T;
}

/** An answer of a topic with 10,000 partitions has 0.5 MB: what says more is no broker. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

interface Waiting {
  flexible: boolean;
  resolve: (answer: WireReader) => void;
  reject: (error: Error) => void;
}

/**
 * One connection to one broker. Requests may be sent without waiting for one another; a broker answers them in order.
 * A broker that does not answer one in time has lost the connection, and every request that waits hears of it.
 */
export class BrokerConnection {
  private readonly waiting: Waiting[] = [];
  private received = Buffer.alloc(0);
  private sent = 0;
  private ended = false;

  private constructor(
    private readonly socket: Socket,
    private readonly options: BrokerConnectionOptions,
  ) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.on('data', (bytes) => this.receive(bytes));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('The broker closed the connection')));
  }

  /** @throws when there is no connection in time */
  static async open(address: BrokerAddress, options: BrokerConnectionOptions): Promise<BrokerConnection> {
    const { host, port } = address;
    const { tls, timeoutMs } = options;
    const socket = tls
      ? connectTls({ ...tls, host, port, ...(isIP(host) ? {} : { servername: host }) })
      : connectPlain({ host, port });
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const deadline = setTimeout(() => reject(new Error(`No connection to ${host}:${String(port)}`)), timeoutMs);
    socket.once(tls ? 'secureConnect' : 'connect', () => resolve(undefined)).once('error', reject);
    try {
      await promise;
    } catch (error) {
      // Whatever else it has to say, nobody listens.
      socket.on('error', () => undefined).destroy();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    socket.off('error', reject);
    return new BrokerConnection(socket, options);
  }

  get isOpen(): boolean {
    return !this.ended;
  }

  /** @throws when the connection ends first */
  async send<T>({ apiKey, version, flexible, body, read }: BrokerRequest<T>): Promise<T> {
    if (this.ended) throw new Error('The connection to the broker has ended');
    const header = [
      wire.int16(apiKey),
      wire.int16(version),
      wire.int32(this.sent++),
      wire.string(this.options.clientId),
    ];
    const request = Buffer.concat([...header, ...(flexible ? [wire.noTags] : []), body]);
    const { promise, resolve, reject } = Promise.withResolvers<WireReader>();
    this.waiting.push({ flexible, resolve, reject });
    this.socket.write(Buffer.concat([wire.int32(request.length), request]));
    const deadline = setTimeout(() => this.end(new Error('The broker is silent')), this.options.timeoutMs);
    try {
      return read(await promise);
    } finally {
      clearTimeout(deadline);
    }
  }

  close(): void {
    this.end(new Error('The connection to the broker was closed'));
  }

  private receive(bytes: Buffer): void {
    this.received = Buffer.concat([this.received, bytes]);
    while (this.received.length >= 4) {
      const length = this.received.readInt32BE();
      if (length < 4 || length > MAX_ANSWER_BYTES) {
        this.end(new Error('What answers is no broker'));
        return;
      }
      if (this.received.length < 4 + length) return;
      const answer = new WireReader(this.received.subarray(4, 4 + length));
      this.received = this.received.subarray(4 + length);
      this.answered(answer);
    }
  }

  private answered(answer: WireReader): void {
    const correlation = answer.int32();
    if (correlation !== this.sent - this.waiting.length) {
      this.end(new Error('The broker answered another request'));
      return;
    }
    const request = this.waiting.shift();
    if (request?.flexible) answer.skipTags();
    request?.resolve(answer);
  }

  private end(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.socket.destroy();
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
