import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PROBLEMS } from '@tiltak/platform';
import type { DenialLog } from '../lookups/denial-log.ts';
import type { ConsumerLimits } from './consumer-limits.ts';
import type { Konsument, Konsumenter } from './konsumenter.ts';

/**
 * Tells each consumer, on every answer, which limits it has and what is left of them: the fields of the IETF's draft
 * (draft-ietf-httpapi-ratelimit-headers-10). A caller that is no consumer has no limits to be told of.
 */
export function addRateLimits(
  app: NestFastifyApplication,
  { konsumenter, limits }: { konsumenter: Konsumenter; limits: ConsumerLimits },
): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (request, reply, _payload, done) => {
      const konsument = konsumenter.of(request.token);
      if (konsument) reply.headers(rateLimitHeaders(konsument, limits));
      done();
    });
}

/** Bad tokens are counted, since nobody knows who sent them. */
export function countBadTokens(app: NestFastifyApplication, denialLog: DenialLog): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (_request, reply, done) => {
      if (reply.statusCode === 401) {
        denialLog.count({ konsument: 'ukjent', operation: 'ukjent' }, PROBLEMS.UGYLDIG_TOKEN.code);
      }
      done();
    });
}

function rateLimitHeaders(
  { navn: name, kvote: quota }: Konsument,
  { lookups }: ConsumerLimits,
): Record<string, string> {
  const policies = [`"samtidige";q=${String(lookups.max)};qu="concurrent-requests"`];
  const left = [`"samtidige";r=${String(lookups.left(name))}`];
  if (quota) {
    // A bucket: so many at once, and it is full again after so long.
    policies.unshift(`"kvote";q=${String(quota.burst)};w=${seconds(quota.burst / quota.perSecond)}`);
    left.unshift(`"kvote";r=${String(quota.left)};t=${seconds(quota.fullAfterSeconds)}`);
  }
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: left.join(', ') };
}

const seconds = (exact: number): string => String(Math.max(1, Math.ceil(exact)));
