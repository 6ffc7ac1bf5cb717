import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Kontekst } from '../kontekst.ts';

/** On every answer. */
export const STANDARDHODER = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' };

const w3c = new W3CTraceContextPropagator();

/** Who calls, as the headers tell: the call id and the trace that this is part of. */
export function nyKontekst(headers: IncomingHttpHeaders): Kontekst {
  const callId = [headers['nav-call-id'], headers['nav-callid'], headers['x-correlation-id']].find(erCallId);
  const spor = w3c.extract(ROOT_CONTEXT, headers, {
    get: (baerer: IncomingHttpHeaders, navn) => baerer[navn],
    keys: (baerer) => Object.keys(baerer),
  });
  const span = trace.getSpanContext(spor);
  return { callId: callId ?? nyCallId(), traceId: span?.traceId, spanId: span?.spanId };
}

/** One in a hundred UUIDs would look as if it held a national ident. */
export function nyCallId(): string {
  for (;;) {
    const id = randomUUID();
    if (erCallId(id)) return id;
  }
}

/** It goes into every log line, so it must not be something else than an id. */
function erCallId(verdi: unknown): verdi is string {
  return typeof verdi === 'string' && /^[A-Za-z0-9._:-]{1,100}$/.test(verdi) && !/\d{11}/.test(verdi);
}
