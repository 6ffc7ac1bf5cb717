import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { acceptedEncoding, type Encoding } from './compress.ts';
import { etagOf, isKnownTo } from './etag.ts';
import { pageHeaders } from './security-headers.ts';

export interface Document {
  /** media type */
  type: string;
  /** called when it is first asked for: it is the same for as long as the process runs */
  content: () => Buffer | string;
  /** it is a page, or a part of one: with the policy of those */
  isPage?: true;
}

/** A document as it goes out. */
interface Edition {
  etag: string;
  plain: Buffer;
  /** each made when it is first asked for */
  packed: Partial<Record<Encoding, Promise<Buffer>>>;
}

/** Serves what is the same for all who ask: whoever has it is told so, and others get it as small as it can be. */
export function serveDocument(server: FastifyInstance, route: string, { type, content, isPage }: Document): void {
  const headers = isPage ? pageHeaders(type) : {};
  // A font is compressed as it is.
  const isPackable = !type.startsWith('font/');
  let edition: Edition | undefined;
  server.get(route, { exposeHeadRoute: true }, async (request, reply) => {
    edition ??= toEdition(content());
    const { etag, plain, packed } = edition;
    // Kept by anybody, who asks each time: a release changes it.
    reply.headers({ ...headers, ETag: etag, 'Cache-Control': 'public, no-cache' });
    if (isPackable) reply.header('Vary', 'Accept-Encoding');
    if (isKnownTo(request.headers['if-none-match'], etag)) return reply.status(304).send();
    const encoding = isPackable ? acceptedEncoding(request) : undefined;
    if (encoding === undefined) return reply.type(type).send(plain);
    packed[encoding] ??= PACK[encoding](plain);
    const bytes = await packed[encoding];
    return reply.type(type).header('Content-Encoding', encoding).send(bytes);
  });
}

function toEdition(content: Buffer | string): Edition {
  const plain = Buffer.from(content);
  return { etag: etagOf(plain), plain, packed: {} };
}

const PACK: Record<Encoding, (plain: Buffer) => Promise<Buffer>> = {
  br: (plain) => {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
    return promisify(brotliCompress)(plain, { params });
  },
  gzip: (plain) => promisify(gzip)(plain, { level: constants.Z_BEST_COMPRESSION }),
};
