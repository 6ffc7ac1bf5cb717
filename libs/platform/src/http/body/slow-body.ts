import type { FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEMS, Problem } from '../../problem.ts';
import { sendProblem } from '../problem.filter.ts';
import { closeUnread } from './unread-body.ts';

/** Bytes that a body must bring, in each stretch of time. */
export interface MinimumRate {
  bytesPerSecond: number;
  windowMs: number;
}

interface Watched {
  request: FastifyRequest;
  reply: FastifyReply;
  /** what the connection had brought when the stretch began */
  bytes: number;
  since: number;
}

/** Ends requests whose body comes so slowly that it only holds a connection and memory: 408. */
export class SlowBodies {
  private readonly watched = new Set<Watched>();
  private readonly everyMs: number;
  private readonly timer: NodeJS.Timeout;
  private lastLook = performance.now();

  constructor(private readonly rate: MinimumRate) {
    this.everyMs = Math.max(10, Math.min(1_000, rate.windowMs / 5));
    this.timer = setInterval(() => this.look(), this.everyMs).unref();
  }

  /** From when the body may come. Most have come already. */
  watch(request: FastifyRequest, reply: FastifyReply): void {
    const { raw } = request;
    if (raw.complete) return;
    this.watched.add({ request, reply, bytes: raw.socket.bytesRead, since: performance.now() });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    // When this process has stood still, so have the bodies.
    const stoodStill = now - this.lastLook > 2 * this.everyMs + 100;
    this.lastLook = now;
    for (const one of this.watched) {
      const { raw } = one.request;
      if (raw.complete || raw.destroyed || one.reply.sent) {
        this.watched.delete(one);
        continue;
      }
      const { bytesRead } = raw.socket;
      // What has come and is not read yet waits for us.
      if (stoodStill || raw.readableLength > 0) Object.assign(one, { bytes: bytesRead, since: now });
      if (now - one.since < this.rate.windowMs) continue;
      if (bytesRead - one.bytes < (this.rate.bytesPerSecond * this.rate.windowMs) / 1_000) this.refuse(one);
      else Object.assign(one, { bytes: bytesRead, since: now });
    }
  }

  private refuse(one: Watched): void {
    this.watched.delete(one);
    closeUnread(one.reply);
    sendProblem(one.reply, new Problem(PROBLEMS.TIDSAVBRUDD, 'The body comes too slowly'));
  }
}
