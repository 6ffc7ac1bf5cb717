import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { TokenError, type TokenProvider } from './token.ts';
import { requireJson } from './tolerant.ts';

export interface Patience {
  /** how long one attempt may take, all of the answer included; a call that waits at the service gets as much more */
  timeoutMs?: number;
  /** how long to go on trying, from the first attempt: 429, 503 and no answer pass by waiting */
  budgetMs?: number;
}

export interface PatientFetchOptions extends Patience {
  getToken: TokenProvider;
  /** required for a consumer with several purposes */
  behandlingsgrunnlag?: string | undefined;
  /** instead of the platform's */
  fetch?: ((request: Request, init: RequestInit) => Promise<Response>) | undefined;
  /** hears of each wait before another attempt; `why` has no personal data */
  onRetry?: ((waited: { why: string; ms: number; callId: string }) => void) | undefined;
}

/** There was no answer, for as long as the budget lets one try. */
export class UnansweredError extends Error {
  readonly callId: string;

  constructor(callId: string, options: ErrorOptions) {
    super(`tiltak-datadeling did not answer, callId ${callId}`, options);
    this.callId = callId;
  }
}

export const DEFAULT_PATIENCE: Required<Patience> = { timeoutMs: 10_000, budgetMs: 60_000 };

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;
/** A broken answer of a proxy tells nothing of how long to wait. */
const PASSING = new Set([429, 502, 503, 504]);

/**
 * A fetch with the token and the purpose, one call id over all attempts, and another attempt for what passes by waiting:
 * after `Retry-After`, with some jitter. Trying again does no harm: an operation reads, or writes the same once more (an
 * abonnement or its members, a page of a sync by its number). A token that is refused is replaced once. The last answer is
 * given, also when it is a refusal.
 *
 * @throws UnansweredError, TokenError, and what the signal of the request says when it is aborted
 */
export function patientFetch(options: PatientFetchOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const callId = request.headers.get('nav-call-id') ?? randomUUID();
    const deadline = performance.now() + (options.budgetMs ?? DEFAULT_PATIENCE.budgetMs);
    let refused: string | undefined;
    for (let attempt = 0; ;) {
      const outcome = await tryWithToken(request, { ...options, callId }, refused);
      if ('response' in outcome) {
        const { response, token } = outcome;
        if (response.status === 401 && refused === undefined) {
          refused = token;
          continue;
        }
        if (!PASSING.has(response.status)) return response;
      }
      request.signal.throwIfAborted();
      const ms = pauseMs(outcome, attempt++);
      if (performance.now() + ms > deadline) {
        if ('response' in outcome) return outcome.response;
        if (outcome.error instanceof TokenError) throw outcome.error;
        throw new UnansweredError(callId, { cause: outcome.error });
      }
      options.onRetry?.({ why: whyOf(outcome), ms, callId });
      await wait(ms, undefined, { signal: request.signal });
    }
  };
}

type Outcome = { response: Response; token: string } | { error: unknown };

interface Attempt extends PatientFetchOptions {
  callId: string;
  token: string;
}

async function tryWithToken(
  request: Request,
  options: Omit<Attempt, 'token'>,
  refused: string | undefined,
): Promise<Outcome> {
  let token: string;
  try {
    token = await options.getToken(refused);
  } catch (error) {
    if (error instanceof TokenError && error.mayPass) return { error };
    throw error;
  }
  const outcome = await tryOnce(request, { ...options, token });
  return outcome instanceof Response ? { response: outcome, token } : outcome;
}

function whyOf(outcome: Outcome): string {
  if ('response' in outcome) return String(outcome.response.status);
  return outcome.error instanceof TokenError ? 'no token' : 'no answer';
}

async function tryOnce(request: Request, attempt: Attempt): Promise<Response | { error: unknown }> {
  const { callId, token, behandlingsgrunnlag, timeoutMs = DEFAULT_PATIENCE.timeoutMs, fetch: send = fetch } = attempt;
  const headers = new Headers(request.headers);
  headers.set('Authorization', `Bearer ${token}`);
  headers.set('Nav-Call-Id', callId);
  if (behandlingsgrunnlag !== undefined) headers.set('Behandlingsgrunnlag', behandlingsgrunnlag);
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Error('Timed out')), timeoutMs + waitedForMs(request.url));
  const signal = AbortSignal.any([request.signal, timeout.signal]);
  try {
    // Not by a Request of its own: its signal follows ours only until somebody collects that Request. The service sends
    // nobody elsewhere, and whoever does would get what was asked, which names persons.
    const response = await send(request.clone(), { headers, signal, redirect: 'manual' });
    // What is as long as everything is read by whoever asked for it, piece by piece.
    return isLines(response) ? response : await readWhole(response, callId);
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}

/** How long the service itself was told to wait before it answers. */
function waitedForMs(url: string): number {
  return (Number(new URL(url).searchParams.get('ventSekunder')) || 0) * 1_000;
}

export function isLines(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/x-ndjson') === true;
}

async function readWhole(response: Response, callId: string): Promise<Response> {
  const body = await response.text();
  const isEmpty = response.status === 204 || response.status === 304;
  // A page of whatever stands in the service's place, or half an answer, is as none, whatever its status says.
  if (response.ok && !isEmpty && !isReport(response)) requireJson(body);
  const headers = new Headers(response.headers);
  // Of the bytes as they came.
  headers.delete('content-length');
  headers.delete('content-encoding');
  // What answers in the service's place says nothing of it.
  if (!headers.has('nav-call-id')) headers.set('nav-call-id', callId);
  return new Response(isEmpty ? null : body, { status: response.status, headers });
}

/** What people on duty are answered with, in the document for adapters. */
function isReport(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/csv') === true;
}

function pauseMs(outcome: Outcome, attempt: number): number {
  const said = 'response' in outcome ? waitSaidMs(outcome.response.headers.get('retry-after')) : 0;
  const ms = said > 0 ? said : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return ms * (1 + Math.random() / 4);
}

/** `Retry-After` says seconds, or a date (RFC 9110, 10.2.3). */
function waitSaidMs(text: string | null): number {
  if (text === null) return 0;
  const seconds = Number(text);
  return Number.isNaN(seconds) ? Date.parse(text) - Date.now() + 1_000 || 0 : seconds * 1_000;
}
