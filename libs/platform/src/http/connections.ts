import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { logger } from '../logger.ts';

/** A connection that says nothing for so long, of its own or anew, is taken to be idle by a server that closes. */
const QUIET_MS = 500;
/** How long a server that closes goes on to take new connections, when they never cease to come. */
const MAX_ACCEPT_MS = 2_000;
/** A request that has begun to come gets so long to come whole. */
const MAX_PARTIAL_MS = 2_000;
/** Node accepts one connection in a turn of its loop: when so many turns bring none, none waits. */
const IDLE_TURNS = 3;
/** For what then waits to be accepted, which little is added to. */
const MAX_EMPTY_MS = 6_000;
/** In between, what has come is read: a process that is slow must not take its own pause for the client's. */
const MIN_LOOKS = 3;
const LOOK_MS = 20;

interface Connection {
  /** under way, oldest first: more than one when the client doesn't wait for answers */
  responses: Set<ServerResponse>;
  /** what it had brought when it last had nothing under way */
  readBefore: number;
  /** what it had brought at the last look, and when that changed, or an answer ended */
  bytesRead: number;
  activeAt: number;
  /** since then */
  looks: number;
  /** where its answer had come to, and since when */
  place: string;
  movedAt: number;
}

/**
 * The connections of a server. One whose answer the client does not take is let go: it holds the answer in memory, and
 * what the answer is made from. When the server closes, each is closed after what has come on it is answered.
 */
export class Connections {
  private readonly open = new Map<Socket, Connection>();
  private readonly timer: NodeJS.Timeout;
  private readonly everyMs: number;
  private lastLook = performance.now();
  private accepted = 0;
  private acceptedAt = 0;

  /** @param maxStallMs the longest that an answer may wait for its client to take any of it */
  constructor(
    private readonly server: Server,
    private readonly maxStallMs: number,
  ) {
    server.on('connection', (socket: Socket) => this.add(socket));
    // Whichever of the three a request comes by.
    for (const event of ['request', 'checkContinue', 'checkExpectation']) {
      server.prependListener(event, (request: IncomingMessage, response: ServerResponse) =>
        this.begin(request.socket, response),
      );
    }
    this.everyMs = Math.max(10, Math.min(1_000, maxStallMs / 10));
    this.timer = setInterval(() => this.letGo(), this.everyMs).unref();
  }

  /**
   * To be called when answers say that their connections close, before the server does: takes what is still coming in.
   * Afterwards nothing waits to be accepted, or as good as nothing.
   */
  async waitUntilQuiet(): Promise<void> {
    // Node's own would end those on which a request has just come and is not read yet.
    this.server.closeIdleConnections = () => undefined;
    const begun = performance.now();
    do {
      await this.look();
      if (this.isQuiet()) break;
      await wait(LOOK_MS);
    } while (performance.now() - begun < MAX_ACCEPT_MS);
    narrowBacklog(this.server);
    const narrowed = performance.now();
    for (let idle = 0; idle < IDLE_TURNS && performance.now() - narrowed < MAX_EMPTY_MS;) {
      const { accepted } = this;
      await nextTurn();
      idle = this.accepted === accepted ? idle + 1 : 0;
    }
  }

  /**
   * Ends each connection that has nothing under way, until `closed`.
   *
   * @param maxMs after which the rest is cut off
   */
  async drain(closed: Promise<void>, maxMs: number): Promise<void> {
    const cutOff = performance.now() + maxMs;
    const state = { closed: false };
    const ended = closed.finally(() => (state.closed = true));
    ended.catch(() => undefined);
    while (!state.closed) {
      await Promise.race([ended, wait(LOOK_MS)]);
      await this.look();
      if (performance.now() > cutOff) for (const socket of this.open.keys()) socket.destroy();
    }
    clearInterval(this.timer);
    await ended;
  }

  private add(socket: Socket): void {
    const now = performance.now();
    this.accepted++;
    this.acceptedAt = now;
    const responses = new Set<ServerResponse>();
    const active = { readBefore: 0, bytesRead: 0, activeAt: now, looks: 0 };
    this.open.set(socket, { responses, ...active, place: '', movedAt: now });
    socket.once('close', () => {
      this.open.delete(socket);
      // Node tells the first of them only; those behind it would keep all that they hold, for ever.
      for (const response of responses) if (!response.closed) tellClosed(response);
    });
  }

  private begin(socket: Socket, response: ServerResponse): void {
    const connection = this.open.get(socket);
    if (!connection) return;
    connection.responses.add(response);
    response.once('close', () => {
      connection.responses.delete(response);
      Object.assign(connection, { readBefore: socket.bytesRead, activeAt: performance.now(), looks: 0 });
    });
  }

  private letGo(): void {
    const now = performance.now();
    // When this process has stood still, so has what it writes.
    const stoodStill = now - this.lastLook > 2 * this.everyMs + 100;
    this.lastLook = now;
    for (const [socket, connection] of this.open) {
      const place = placeOf(socket);
      if (stoodStill || place === undefined || place !== connection.place) {
        Object.assign(connection, { place: place ?? '', movedAt: now });
      } else if (now - connection.movedAt >= this.maxStallMs) {
        logger.info(
          { sekunder: Math.round(this.maxStallMs / 1_000) },
          'A client took nothing of its answer, and is let go',
        );
        socket.destroy();
      }
    }
  }

  /** No connection but those whose answers are being made, and no new one for a while. */
  private isQuiet(): boolean {
    if (performance.now() - this.acceptedAt <= QUIET_MS) return false;
    return [...this.open.values()].every(({ responses }) => responses.size > 0);
  }

  /** Ends what is idle. */
  private async look(): Promise<void> {
    // What waits to be read is, in a whole turn; the first is what is left of this one.
    await nextTurn();
    await nextTurn();
    const now = performance.now();
    for (const [socket, connection] of this.open) {
      const { bytesRead } = socket;
      if (bytesRead !== connection.bytesRead) Object.assign(connection, { bytesRead, activeAt: now, looks: 0 });
      connection.looks++;
      if (connection.responses.size > 0 || connection.looks <= MIN_LOOKS) continue;
      if (now - connection.activeAt > patienceWith(connection)) socket.destroy();
    }
  }
}

function patienceWith({ bytesRead, readBefore }: Connection): number {
  return bytesRead > readBefore ? MAX_PARTIAL_MS : QUIET_MS;
}

/**
 * How far the client has come with what is written to it; undefined when it has all of it. A large answer is one write,
 * of which only the system knows how much is left.
 */
function placeOf(socket: Socket & { _handle?: { writeQueueSize?: number } | null }): string | undefined {
  const { bytesWritten, writableLength, _handle: handle } = socket;
  if (writableLength === 0) return undefined;
  return `${String(bytesWritten - writableLength)} ${String(handle?.writeQueueSize)}`;
}

/**
 * Who would connect now is passed over, and comes again to another process: what has connected and is not accepted when
 * the server closes would be reset. Node has no call for it.
 */
function narrowBacklog(server: Server & { _handle?: { listen?: (backlog: number) => unknown } | null }): void {
  server._handle?.listen?.(0);
}

function tellClosed(response: ServerResponse): void {
  Object.assign(response, { destroyed: true, _closed: true });
  response.emit('close');
}
