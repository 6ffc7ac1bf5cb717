import { fingerprint } from '../fingerprint.ts';

/** Weak: of what an answer says, in whatever encoding it goes out. */
export function etagOf(content: string | Buffer): string {
  return `W/"${fingerprint(content).toString('base64url').slice(0, 22)}"`;
}

/** Whether the caller has an answer with this ETag: `If-None-Match` compares weakly. */
export function isKnownTo(header: string | undefined, etag: string): boolean {
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  const known = header?.split(',').map(opaque) ?? [];
  return known.includes('*') || known.includes(opaque(etag));
}
