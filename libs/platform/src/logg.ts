import type { LoggerService } from '@nestjs/common';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { isNativeError } from 'node:util/types';
import { pino } from 'pino';
import { kontekst } from './kontekst.ts';

/** Eleven digits are how a national ident looks. The last resort: nothing should log one in the first place. */
export function skjul(tekst: string): string {
  return tekst.replace(/\d{11,}/g, '***********');
}

/**
 * An error as it may be logged. Of a database error the fields that quote values – its message and detail among them –
 * are left out; the code and the names of things tell what is wrong.
 */
export function feilTilLogg(feil: unknown): Record<string, unknown> {
  if (!isNativeError(feil)) return { type: typeof feil };
  const { code, severity, constraint, table, column, routine } = feil as Error & Record<string, unknown>;
  const erFraDatabasen = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && severity !== undefined;
  return {
    type: feil.constructor.name,
    ...(erFraDatabasen
      ? { code, severity, constraint, table, column, routine }
      : { message: skjul(feil.message), code, stack: skjul(feil.stack ?? '') }),
    ...(feil.cause === undefined ? {} : { cause: feilTilLogg(feil.cause) }),
  };
}

// Written in the background, so that a request does not wait for the terminal; `toemLogg` before the process ends.
const stdout = pino.destination({ fd: 1, sync: false, minLength: 8_192, periodicFlush: 200 });

/** JSON lines on stdout, as the platform collects them. */
export const logg = pino(
  {
    messageKey: 'message',
    base: null,
    timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (navn) => ({ level: navn }) },
    serializers: { err: feilTilLogg },
    hooks: {
      logMethod(argumenter, metode) {
        const trygge = argumenter.map((del: unknown) => (typeof del === 'string' ? skjul(del) : del));
        metode.apply(this, trygge as typeof argumenter);
      },
    },
    mixin: () => {
      const span = trace.getActiveSpan()?.spanContext();
      const naa = kontekst();
      if (!naa) return {};
      const { callId, konsument } = naa;
      const [traceId, spanId] =
        span && isSpanContextValid(span) ? [span.traceId, span.spanId] : [naa.traceId, naa.spanId];
      return { callId, konsument, trace_id: traceId, span_id: spanId };
    },
  },
  stdout,
);

/** Everything logged so far is written. */
export function toemLogg(): void {
  stdout.flushSync();
}

/** Nest's own lines in the same form. */
export class NestLogg implements LoggerService {
  log(melding: unknown, ...deler: unknown[]): void {
    logg.debug({ kilde: kilde(deler) }, String(melding));
  }
  warn(melding: unknown, ...deler: unknown[]): void {
    logg.warn({ kilde: kilde(deler) }, String(melding));
  }
  error(melding: unknown, ...deler: unknown[]): void {
    if (melding instanceof Error) logg.error({ err: melding, kilde: kilde(deler) }, 'Error in the framework');
    else logg.error({ kilde: kilde(deler) }, String(melding));
  }
  debug(melding: unknown, ...deler: unknown[]): void {
    logg.debug({ kilde: kilde(deler) }, String(melding));
  }
}

function kilde(deler: unknown[]): string | undefined {
  const siste = deler.at(-1);
  return typeof siste === 'string' ? siste : undefined;
}
