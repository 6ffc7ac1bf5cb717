import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { RequestContext } from '../request-context.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** On every answer. */
export const DEFAULT_HEADERS = { ...SECURITY_HEADERS, 'Cache-Control': 'no-store' };

const w3c = new W3CTraceContextPropagator();

/** Who calls, as the headers tell: the call id and the trace that this is part of. */
export function createContext(headers: IncomingHttpHeaders): RequestContext {
  const callId = [headers['nav-call-id'], headers['nav-callid'], headers['x-correlation-id']].find(isCallId);
  if (headers['traceparent'] === undefined) return { callId: callId ?? newCallId() };
  const traceId = w3c.extract(ROOT_CONTEXT, headers, {
    get: (carrier: IncomingHttpHeaders, name) => carrier[name],
    keys: (carrier) => Object.keys(carrier),
  });
  const span = trace.getSpanContext(traceId);
  return { callId: callId ?? newCallId(), traceId: span?.traceId, spanId: span?.spanId };
}

/** One in a hundred UUIDs would look as if it held a national ident. */
export function newCallId(): string {
  for (;;) {
    const id = randomUUID();
    if (isCallId(id)) return id;
  }
}

/** It goes into every log line, so it must not be something else than an id. */
function isCallId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9._:-]{1,100}$/.test(value) && !/\d{11}/.test(value);
}
