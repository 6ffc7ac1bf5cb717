import { pipeline, type Readable } from 'node:stream';
import {
  brotliCompress,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  gzip,
  gzipSync,
  type BrotliOptions,
  type ZlibOptions,
} from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The answer says what the caller wrote, beside what others must not know: how long it is when compressed would tell
     * whoever chooses a part of the request, and sees the traffic, how alike the two are (BREACH). It goes out as it is.
     */
    saysWhatWasAsked?: true;
    /**
     * Who asks is let in by the session of a browser, which any page can make ask: an answer with what others must not know
     * goes out as it is.
     */
    isAskedBySession?: true;
  }
}

/** In the order of preference, where the caller has none. */
const ENCODINGS = ['br', 'gzip'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Smaller ones go out as they are: they fit in a packet or two all the same. */
const MIN_BYTES = 1_024;
/** To hand over what takes some 50 µs costs more than doing it. */
const MAX_SYNC_BYTES = 16 * 1_024;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/;

const GZIP: ZlibOptions = { level: constants.Z_BEST_SPEED };
/** The lowest that finds matches by looking: smaller than gzip's lowest, in half of its time. */
const BROTLI: BrotliOptions = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 },
};

/** What the caller takes, of what is offered. */
export function acceptedEncoding(request: FastifyRequest): Encoding | undefined {
  if (request.headers['accept-encoding'] === undefined) return undefined;
  const accepted: unknown = request.encoding([...ENCODINGS]);
  return ENCODINGS.find((encoding) => encoding === accepted);
}

/**
 * Compresses JSON for who accepts that. Whole, so that the answer still has its length, and is counted until it is taken
 * (`boundAnswers`, which comes before): what streams would be neither.
 */
export function compressAnswers(server: FastifyInstance): void {
  server.addHook('onSend', (request, reply, payload, done) => {
    if (!isToCompress(request, reply, payload)) return done(null, payload);
    reply.header('Vary', 'Accept-Encoding');
    const encoding = acceptedEncoding(request);
    if (encoding === undefined) return done(null, payload);
    const finish = (packed: Buffer): void => {
      const etag = reply.getHeader('etag');
      // Of these bytes alone it would no longer be true.
      if (typeof etag === 'string' && etag.startsWith('"')) reply.header('ETag', `W/${etag}`);
      reply.removeHeader('content-length').header('Content-Encoding', encoding);
      done(null, packed);
    };
    const bytes = Buffer.from(payload as Buffer | string);
    if (bytes.length <= MAX_SYNC_BYTES) return finish(packNow(bytes, encoding));
    pack(bytes, encoding, (error, packed) => {
      if (error) done(error);
      else finish(packed);
    });
  });
}

function isToCompress(request: FastifyRequest, reply: FastifyReply, payload: unknown): boolean {
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return false;
  const { saysWhatWasAsked, isAskedBySession } = request.routeOptions.config;
  if (payload.length < MIN_BYTES || saysWhatWasAsked || isAskedBySession) return false;
  return reply.getHeader('content-encoding') === undefined && JSON_TYPE.test(String(reply.getHeader('content-type')));
}

function packNow(bytes: Buffer, encoding: Encoding): Buffer {
  return encoding === 'br' ? brotliCompressSync(bytes, BROTLI) : gzipSync(bytes, GZIP);
}

function pack(bytes: Buffer, encoding: Encoding, done: (error: Error | null, packed: Buffer) => void): void {
  if (encoding === 'br') brotliCompress(bytes, BROTLI, done);
  else gzip(bytes, GZIP, done);
}

/** A stream as it is made. The quickest way: this is about the network, not about storage. */
export function compressStream(bytes: Readable, encoding: Encoding): Readable {
  const packer = encoding === 'br' ? createBrotliCompress(BROTLI) : createGzip(GZIP);
  return pipeline(bytes, packer, () => undefined);
}
