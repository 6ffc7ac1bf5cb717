import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

/** What is left of a body that small is read past, and the connection kept. */
const SMALL_BYTES = 64 * 1024;
/** In which the client can read the answer: a connection that is closed with something unread takes the answer with it. */
const LINGER_MS = 1_000;

/**
 * To be called before an answer that is given before the body has been read: Node would read all of it, to keep the
 * connection. Nothing more is read, and the connection is closed.
 */
export function leaveUnread(reply: FastifyReply): void {
  const { raw, headers } = reply.request;
  const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
  // Who waits to be asked for the body doesn't send it, however small it is.
  if (!raw.complete && (length > SMALL_BYTES || headers.expect !== undefined)) closeUnread(reply);
}

/** As `leaveUnread`, however small the body is. */
export function closeUnread(reply: FastifyReply): void {
  const { raw } = reply.request;
  reply.header('connection', 'close');
  // To Node, somebody reads it: it takes no more from the connection than its buffer holds.
  raw.pause().on('readable', () => undefined);
  const { socket } = raw;
  socket.destroySoon = () => endSoon(socket);
}

/** Ends a connection that may still bring something: also when its client goes on for ever. */
export function endSoon(socket: Socket, last?: string): void {
  socket.end(last ?? '');
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
