import type { LoggerService } from '@nestjs/common';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { isNativeError } from 'node:util/types';
import { pino, type DestinationStream, type Logger } from 'pino';
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
  const stack = skjul(feil.stack ?? '');
  return {
    type: feil.constructor.name,
    ...(erFraDatabasen
      ? { code, severity, constraint, table, column, routine, stack: bareSteder(stack) }
      : { message: skjul(feil.message), code, stack }),
    ...(feil.cause === undefined ? {} : { cause: feilTilLogg(feil.cause) }),
  };
}

/** A stack begins with the message. */
function bareSteder(stack: string): string {
  return stack
    .split('\n')
    .filter((linje) => /^ {4}at .+:\d+:\d+\)?$/.test(linje))
    .join('\n');
}

/** Deeper than anything that is logged on purpose. */
const MAKS_DYBDE = 4;

/** What is logged, with idents masked and errors as above wherever they stand. */
function tilLogg(verdi: unknown, dybde = 0): unknown {
  if (typeof verdi === 'string') return skjul(verdi);
  if (isNativeError(verdi)) return feilTilLogg(verdi);
  if (typeof verdi !== 'object' || verdi === null || verdi instanceof Date) return verdi;
  if (dybde === MAKS_DYBDE) return '…';
  if (Array.isArray(verdi)) return verdi.map((del) => tilLogg(del, dybde + 1));
  return Object.fromEntries(
    Object.entries(verdi).map(([navn, del]) => [
      skjul(navn),
      navn === 'err' ? feilTilLogg(del) : tilLogg(del, dybde + 1),
    ]),
  );
}

/** A logger that writes JSON lines, as the platform collects them. */
export function lagLogg(ut: DestinationStream): Logger {
  return pino(
    {
      messageKey: 'message',
      base: null,
      timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (navn) => ({ level: navn }) },
      // Errors are made safe below, before pino would take the message of one for the line's own.
      serializers: { err: (feil: unknown) => feil },
      hooks: {
        logMethod([foerste, ...resten], metode) {
          const felter: unknown = isNativeError(foerste) ? { err: foerste } : foerste;
          metode.apply(this, [felter, ...resten].map((del) => tilLogg(del)) as [unknown]);
        },
      },
      mixin: felterFraKontekst,
    },
    ut,
  );
}

function felterFraKontekst(): object {
  const naa = kontekst();
  if (!naa) return {};
  const span = trace.getActiveSpan()?.spanContext();
  const { callId, konsument } = naa;
  const [traceId, spanId] = span && isSpanContextValid(span) ? [span.traceId, span.spanId] : [naa.traceId, naa.spanId];
  return { callId, konsument, trace_id: traceId, span_id: spanId };
}

// Written in the background, so that a request does not wait for the terminal; `toemLogg` before the process ends.
const stdout = pino.destination({ fd: 1, sync: false, minLength: 8_192, periodicFlush: 200 });

/** On stdout. Its `level` is set at start. */
export const logg = lagLogg(stdout);

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
