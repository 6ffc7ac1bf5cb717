import type { LoggerService } from '@nestjs/common';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { isNativeError } from 'node:util/types';
import { pino, type DestinationStream, type Logger } from 'pino';
import { currentContext } from './request-context.ts';

/** Eleven digits are how a national ident looks. The last resort: nothing should log one in the first place. */
export function maskIdents(text: string): string {
  // As good as no text is as long, or has them.
  return text.length < 11 ? text : text.replace(/\d{11,}/g, '***********');
}

/**
 * An error as it may be logged. Of a database error the fields that quote values – its message and detail among them –
 * are left out; the code and the names of things tell what is wrong.
 */
export function errorForLog(error: unknown): Record<string, unknown> {
  if (!isNativeError(error)) return { type: typeof error };
  const { code, severity, constraint, table, column, routine } = error as Error & Record<string, unknown>;
  const isFromDatabase = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && severity !== undefined;
  const stack = maskIdents(error.stack ?? '');
  return {
    type: error.constructor.name,
    ...(isFromDatabase
      ? { code, severity, constraint, table, column, routine, stack: framesOnly(stack) }
      : { message: maskIdents(error.message), code, stack }),
    ...(error.cause === undefined ? {} : { cause: errorForLog(error.cause) }),
  };
}

/** A stack begins with the message. */
function framesOnly(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at .+:\d+:\d+\)?$/.test(line))
    .join('\n');
}

/** Deeper than anything that is logged on purpose. */
const MAX_DEPTH = 4;

/** What is logged, with idents masked and errors as above wherever they stand. */
function forLog(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskIdents(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isNativeError(value)) return errorForLog(value);
  if (value instanceof Date) return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((part) => forLog(part, depth + 1));
  const safe: [string, unknown][] = [];
  for (const name of Object.keys(value)) {
    const part = (value as Record<string, unknown>)[name];
    safe.push([maskIdents(name), name === 'err' ? errorForLog(part) : forLog(part, depth + 1)]);
  }
  return Object.fromEntries(safe);
}

/** A logger that writes JSON lines, as the platform collects them. */
export function createLogger(out: DestinationStream): Logger {
  return pino(
    {
      messageKey: 'message',
      base: null,
      timestamp,
      formatters: { level: (name) => ({ level: name }) },
      // Errors are made safe below, before pino would take the message of one for the line's own.
      serializers: { err: (error: unknown) => error },
      hooks: {
        logMethod([first, ...rest], method) {
          const fields: unknown = isNativeError(first) ? { err: first } : first;
          method.apply(this, [fields, ...rest].map((part) => forLog(part)) as [unknown]);
        },
      },
      mixin: fieldsFromContext,
    },
    out,
  );
}

/** Written once for all lines of a millisecond. */
let written = { ms: Number.NaN, text: '' };

function timestamp(): string {
  const ms = Date.now();
  if (written.ms !== ms) written = { ms, text: `,"@timestamp":"${new Date(ms).toISOString()}"` };
  return written.text;
}

function fieldsFromContext(): object {
  const context = currentContext();
  if (!context) return {};
  const span = trace.getActiveSpan()?.spanContext();
  const { callId, konsument } = context;
  const [traceId, spanId] =
    span && isSpanContextValid(span) ? [span.traceId, span.spanId] : [context.traceId, context.spanId];
  return { callId, konsument, trace_id: traceId, span_id: spanId };
}

// Written in the background, so that a request does not wait for the terminal; `flushLogger` before the process ends.
const stdout = pino.destination({ fd: 1, sync: false, minLength: 8_192, periodicFlush: 200 });

/** On stdout. Its `level` is set at start. */
export const logger = createLogger(stdout);

/** Everything logged so far is written. */
export function flushLogger(): void {
  stdout.flushSync();
}

/** Node warns in text on stderr; from now on it does so here. */
export function logNodeWarnings(): void {
  process.removeAllListeners('warning').on('warning', ({ name, message }: Error) => {
    // kafkajs asks for timers whose time has passed, and gets them at once.
    const level = name === 'TimeoutNegativeWarning' ? 'debug' : 'warn';
    logger[level]({ advarsel: name }, message);
  });
}

/** Nest's own lines in the same form. */
export class NestLogger implements LoggerService {
  log(message: unknown, ...parts: unknown[]): void {
    logger.debug({ kilde: source(parts) }, String(message));
  }
  warn(message: unknown, ...parts: unknown[]): void {
    logger.warn({ kilde: source(parts) }, String(message));
  }
  error(message: unknown, ...parts: unknown[]): void {
    if (message instanceof Error) logger.error({ err: message, kilde: source(parts) }, 'Error in the framework');
    else logger.error({ kilde: source(parts) }, String(message));
  }
  debug(message: unknown, ...parts: unknown[]): void {
    logger.debug({ kilde: source(parts) }, String(message));
  }
}

function source(parts: unknown[]): string | undefined {
  const last = parts.at(-1);
  return typeof last === 'string' ? last : undefined;
}
