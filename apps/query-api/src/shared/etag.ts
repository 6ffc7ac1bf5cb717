import { applyDecorators, type Type } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiResponse } from '@nestjs/swagger';
import { fingerprint } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** An answer that a caller may keep, and ask about instead of for. */
export function WithETag(type: Type): MethodDecorator {
  const headers = { ETag: { description: 'Of this answer', schema: { type: 'string' } as const } };
  return applyDecorators(
    ApiOkResponse({ type, headers }),
    ApiHeader({ name: 'If-None-Match', required: false, description: 'ETag of an answer that the caller has' }),
    ApiResponse({ status: 304, description: 'The caller has this already', headers }),
  );
}

/** Marks the answer with its ETag, and with 304 when the caller has it. It was looked up, and audited, all the same. */
export function isNotModified({ headers }: FastifyRequest, reply: FastifyReply, response: unknown): boolean {
  const etag = `"${fingerprint(JSON.stringify(response)).toString('base64url').slice(0, 22)}"`;
  // Kept by the caller only, who asks each time.
  reply.headers({ ETag: etag, 'Cache-Control': 'private, no-cache' });
  const knownTags = headers['if-none-match']?.split(',').map((value) => value.trim().replace(/^W\//, '')) ?? [];
  const known = knownTags.includes('*') || knownTags.includes(etag);
  if (known) reply.status(304);
  return known;
}
