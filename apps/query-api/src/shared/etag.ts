import { applyDecorators, type Type } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiResponse } from '@nestjs/swagger';
import { etagOf, isKnownTo } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** An answer that a caller may keep, and ask about instead of for. */
export function WithETag(type: Type): MethodDecorator {
  const headers = {
    ETag: { description: 'Of this answer, whatever its encoding', schema: { type: 'string' } as const },
  };
  return applyDecorators(
    ApiOkResponse({ type, headers, description: 'As it is now' }),
    ApiHeader({ name: 'If-None-Match', required: false, description: 'ETag of an answer that the caller has' }),
    ApiResponse({ status: 304, description: 'The caller has this already', headers }),
  );
}

/** Marks the answer with its ETag, and with 304 when the caller has it. It was looked up, and audited, all the same. */
export function isNotModified({ headers }: FastifyRequest, reply: FastifyReply, response: unknown): boolean {
  const etag = etagOf(JSON.stringify(response));
  // Kept by the caller only, who asks each time.
  reply.headers({ ETag: etag, 'Cache-Control': 'private, no-cache', Vary: 'Accept-Encoding' });
  const known = isKnownTo(headers['if-none-match'], etag);
  if (known) reply.status(304);
  return known;
}
