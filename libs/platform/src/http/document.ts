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
  text: () => string;
  /** it is a page, or a part of one: with the policy of those */
  isPage?: true;
}

/** A document as it goes out: made once. */
interface Edition {
  etag: string;
  plain: Buffer;
  packed: Record<Encoding, Buffer>;
}

/** Serves what is the same for all who ask: whoever has it is told so, and others get it as small as it can be. */
export function serveDocument(server: FastifyInstance, route: string, { type, text, isPage }: Document): void {
  const headers = isPage ? pageHeaders(type) : {};
  let edition: Promise<Edition> | undefined;
  server.get(route, { exposeHeadRoute: true }, async (request, reply) => {
    edition ??= toEdition(text());
    const { etag, plain, packed } = await edition;
    // Kept by anybody, who asks each time: a release changes it.
    reply.headers({ ...headers, ETag: etag, 'Cache-Control': 'public, no-cache', Vary: 'Accept-Encoding' });
    if (isKnownTo(request.headers['if-none-match'], etag)) return reply.status(304).send();
    const encoding = acceptedEncoding(request);
    if (encoding !== undefined) reply.header('Content-Encoding', encoding);
    return reply.type(type).send(encoding === undefined ? plain : packed[encoding]);
  });
}

async function toEdition(text: string): Promise<Edition> {
  const plain = Buffer.from(text);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(plain, { params }),
    promisify(gzip)(plain, { level: constants.Z_BEST_COMPRESSION }),
  ]);
  return { etag: etagOf(text), plain, packed: { br, gzip: gz } };
}
