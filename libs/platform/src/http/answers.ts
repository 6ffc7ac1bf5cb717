import type { FastifyInstance } from 'fastify';
import { PROBLEMS, Problem } from '../problem.ts';
import { SharedMemory } from '../shared-memory.ts';
import { clientOf } from '../tokens/token.ts';

/** Of all answers that are made and not taken yet. Beyond it, whoever asks is asked to come again. */
const MAX_BYTES_AT_ONCE = 48 * 1024 * 1024;
/** As good as always the system takes so much for a client at once: it is not held here. */
const SMALL_BYTES = 64 * 1024;

/**
 * Holds what is answered within bounds: an answer counts from when it is made until the client has taken it. A stream is
 * made as it is taken, and doesn't count.
 */
export function boundAnswers(server: FastifyInstance, maxBytes = MAX_BYTES_AT_ONCE): void {
  const made = new SharedMemory(maxBytes);
  server.addHook('onSend', (request, reply, payload, done) => {
    // Until it is taken it would be in the heap, which is the smaller part of the memory.
    const bytes = typeof payload === 'string' && payload.length > SMALL_BYTES / 4 ? Buffer.from(payload) : payload;
    if (!Buffer.isBuffer(bytes) || bytes.length <= SMALL_BYTES) return done(null, bytes);
    const who = request.token ? clientOf(request.token) : '';
    const { raw } = reply;
    if (raw.closed || !made.take(who, bytes.length)) {
      const problem = new Problem(PROBLEMS.UTILGJENGELIG, 'Too many answers wait to be taken', { retryAfter: 2 });
      for (const name of ['content-length', 'etag', 'content-encoding']) reply.removeHeader(name);
      reply.status(problem.problemType.status).headers(problem.headers);
      return done(null, JSON.stringify(problem.toJson()));
    }
    raw.once('close', () => made.giveBack(who, bytes.length));
    done(null, bytes);
  });
}
