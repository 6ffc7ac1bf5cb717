import type { IncomingMessage, Server } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEMS, Problem } from '../../problem.ts';
import { sendProblem } from '../problem.filter.ts';
import { closeUnread } from './unread-body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** in which a request of the route must have come whole, when that isn't what the app says */
    maxSeconds?: number;
  }
}

/** How fast bodies must come. */
export interface BodyRate {
  /** that a body must bring, in each stretch of time */
  bytesPerSecond: number;
  windowMs: number;
  /** in which all of it must have come, however fast it comes */
  maxMs: number;
}

interface Watched {
  /** set once the request has a route */
  reply?: FastifyReply;
  /** whether the body may come, and must come fast enough */
  wanted: boolean;
  /** what the connection had brought when the stretch began */
  bytes: number;
  since: number;
  deadline: number;
}

/**
 * Ends requests whose body comes so slowly that it only holds a connection and memory: 408. Those whose body nobody wants
 * are watched too: it is read past, to keep the connection.
 */
export class SlowBodies {
  private readonly watched = new Map<IncomingMessage, Watched>();
  private readonly everyMs: number;
  private readonly timer: NodeJS.Timeout;
  private lastLook = performance.now();

  constructor(
    server: Server,
    private readonly rate: BodyRate,
  ) {
    this.everyMs = Math.max(10, Math.min(1_000, rate.windowMs / 5));
    this.timer = setInterval(() => this.look(), this.everyMs).unref();
    for (const event of ['request', 'checkContinue', 'checkExpectation']) {
      server.prependListener(event, (request: IncomingMessage) => this.watch(request));
    }
  }

  /** From when its route is known, which may give it longer. */
  routed({ raw, routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const one = this.watched.get(raw);
    if (!one) return;
    one.reply = reply;
    const { maxSeconds } = routeOptions.config;
    if (maxSeconds !== undefined) one.deadline = one.since + maxSeconds * 1_000;
  }

  /** From when the body may come. */
  want({ raw }: FastifyRequest): void {
    const one = this.watched.get(raw);
    if (one) Object.assign(one, { wanted: true, bytes: raw.socket.bytesRead, since: performance.now() });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private watch(request: IncomingMessage): void {
    const { headers } = request;
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
    const now = performance.now();
    const { bytesRead } = request.socket;
    this.watched.set(request, { wanted: false, bytes: bytesRead, since: now, deadline: now + this.rate.maxMs });
    request.once('end', () => this.watched.delete(request)).once('close', () => this.watched.delete(request));
  }

  private look(): void {
    const now = performance.now();
    // When this process has stood still, so have the bodies.
    const pause = now - this.lastLook;
    const stoodStill = pause > 2 * this.everyMs + 100;
    this.lastLook = now;
    for (const [raw, one] of this.watched) {
      if (raw.complete || raw.socket.destroyed) {
        this.watched.delete(raw);
        continue;
      }
      if (stoodStill) one.deadline += pause;
      if (now >= one.deadline) this.refuse(raw, one, 'The request did not come whole in time');
      else if (one.wanted && one.reply?.sent !== true) this.checkRate(raw, one, now, stoodStill);
    }
  }

  private checkRate(raw: IncomingMessage, one: Watched, now: number, stoodStill: boolean): void {
    const { bytesRead } = raw.socket;
    // What has come and is not read yet waits for us.
    if (stoodStill || raw.readableLength > 0) Object.assign(one, { bytes: bytesRead, since: now });
    if (now - one.since < this.rate.windowMs) return;
    const least = (this.rate.bytesPerSecond * this.rate.windowMs) / 1_000;
    if (bytesRead - one.bytes < least) this.refuse(raw, one, 'The body comes too slowly');
    else Object.assign(one, { bytes: bytesRead, since: now });
  }

  private refuse(raw: IncomingMessage, { reply }: Watched, detail: string): void {
    this.watched.delete(raw);
    // Answered already, or on its way to be: nothing more is owed.
    if (!reply || reply.sent) {
      raw.socket.destroy();
      return;
    }
    closeUnread(reply);
    sendProblem(reply, new Problem(PROBLEMS.TIDSAVBRUDD, detail));
  }
}
