import type { components } from './query-api.schema.ts';

export type Problem = components['schemas']['Problem'];

/** What the service answered instead of what was asked for (RFC 9457). Its message holds no personal data. */
export class ProblemError extends Error {
  readonly status: number;
  /** the last part of the problem's `type`, by which the catalogue of errors lists it; empty when the answer is not the service's own */
  readonly code: string;
  /** to find the request in the service's log */
  readonly callId: string;
  readonly problem: Problem | undefined;

  constructor(response: Response, body: unknown) {
    const problem = isProblem(body) ? body : undefined;
    const code = problem?.type.split(':').at(-1) ?? '';
    const callId = problem?.callId ?? response.headers.get('nav-call-id') ?? '';
    const fields = problem?.feil?.map(({ felt, melding }) => `${felt} ${melding}`).join('; ');
    const what = [String(response.status), code, problem?.detail, fields, callId && `callId ${callId}`];
    super(`tiltak-datadeling answered ${what.filter(Boolean).join(', ')}`);
    this.status = response.status;
    this.code = code;
    this.callId = callId;
    this.problem = problem;
  }

  /** It is not the request: the same may be answered later. */
  get mayPass(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && typeof (body as Partial<Problem>).type === 'string';
}

/**
 * What was asked for, of a call of the client.
 *
 * @throws ProblemError for any other answer
 */
export async function answerOf<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (data === undefined) throw new ProblemError(response, error);
  return data;
}

/** `Data-Oppdatert`: everything that the source published up to this moment is in the answer. */
export function momentOf({ headers }: Response): Date | undefined {
  const text = headers.get('data-oppdatert');
  return text === null ? undefined : new Date(text);
}
