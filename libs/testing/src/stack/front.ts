import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A client's connection, and its other end once there is one. */
interface Pair {
  client: Socket;
  upstream: Socket | undefined;
  frozen: boolean;
}

/**
 * One address in front of servers that come and go. Of TCP, so that whatever is spoken goes through as it is: a connection
 * stays with the server that it came to, as with the platform's own addresses.
 *
 * It can also do what a network does when it fails: go silent, with no end and no reset, or reset everything.
 */
export class Front {
  private readonly pairs = new Set<Pair>();
  private readonly server: Server;
  private silent = false;
  private turn = 0;

  /** ports of 127.0.0.1 that may get a new connection now */
  targets: () => readonly number[];

  private constructor(targets: () => readonly number[]) {
    this.targets = targets;
    // Each side is closed by the one that speaks there.
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.accept(client));
  }

  /** @param port of 127.0.0.1; any free one when 0 */
  static async start(port: number, targets: () => readonly number[]): Promise<Front> {
    const front = new Front(targets);
    await new Promise<void>((ready, failed) => {
      front.server.once('error', failed).listen(port, '127.0.0.1', ready);
    });
    return front;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** how many clients have a connection here */
  get connections(): number {
    return this.pairs.size;
  }

  /** From now on nothing passes in either direction, and nobody is told; new connections are taken, and answered nothing. */
  silence(): void {
    this.silent = true;
    for (const pair of this.pairs) this.freeze(pair);
  }

  /**
   * New connections pass again. What had gone silent stays so, as when an address moves to another machine; with `old` it
   * goes on too, as when a cable is put in again.
   */
  restore({ old = false } = {}): void {
    this.silent = false;
    if (!old) return;
    for (const pair of [...this.pairs].filter(({ frozen }) => frozen)) {
      pair.frozen = false;
      if (pair.upstream && !pair.client.closed && !pair.upstream.closed) join(pair.client, pair.upstream);
      else this.end(pair);
    }
  }

  /** Resets every connection. */
  cut(): void {
    for (const pair of [...this.pairs]) this.end(pair);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((done) => this.server.close(() => done()));
    this.cut();
    await closed;
  }

  private accept(client: Socket): void {
    const pair: Pair = { client, upstream: undefined, frozen: false };
    this.pairs.add(pair);
    this.endWith(pair, client);
    if (this.silent) this.freeze(pair);
    else this.connectTo(pair, this.inTurn());
  }

  /** Each server in turn; the others after it, for when it does not answer. */
  private inTurn(): number[] {
    const ports = this.targets();
    const first = ports.length === 0 ? 0 : this.turn++ % ports.length;
    return [...ports.slice(first), ...ports.slice(0, first)];
  }

  private connectTo(pair: Pair, [port, ...others]: number[]): void {
    if (port === undefined) return this.end(pair);
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const tryNext = (): void => this.connectTo(pair, others);
    upstream.once('error', tryNext).once('connect', () => {
      upstream.off('error', tryNext);
      pair.upstream = upstream;
      this.endWith(pair, upstream);
      if (!this.pairs.has(pair)) upstream.destroy();
      else if (this.silent) this.freeze(pair);
      else join(pair.client, upstream);
    });
  }

  /** One end that is gone takes the other with it, but not while all is silent: then neither learns of the other. */
  private endWith(pair: Pair, socket: Socket): void {
    socket
      .on('error', () => undefined)
      .on('close', (hadError) => {
        if (pair.frozen) return;
        if (hadError) this.end(pair);
        else this.leave(pair, socket);
      });
  }

  /** What is on its way to the other end still comes there. */
  private leave(pair: Pair, socket: Socket): void {
    this.pairs.delete(pair);
    (socket === pair.client ? pair.upstream : pair.client)?.destroySoon();
  }

  private freeze(pair: Pair): void {
    pair.frozen = true;
    for (const socket of [pair.client, pair.upstream]) socket?.unpipe().pause();
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair);
    for (const socket of [pair.client, pair.upstream]) if (socket && !socket.closed) socket.resetAndDestroy();
  }
}

function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream).pipe(client);
}
