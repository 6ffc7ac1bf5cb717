import { HttpException } from '@nestjs/common';
import { PROBLEMS, Problem, type ProblemType } from '../problem.ts';

/** Any error as the problem that the caller is told. What isn't expected is 500 and says nothing of its cause. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown };
  if (code === 'FST_ERR_BAD_URL') return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The URL can not be decoded');
  const status = error instanceof HttpException ? error.getStatus() : statusCode;
  const known = typeof status === 'number' ? BY_STATUS.get(status) : undefined;
  if (known) return new Problem(known.problemType, known.detail, { cause: error });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request can not be read', { cause: error });
  }
  return new Problem(PROBLEMS.INTERN_FEIL, 'Something went wrong here; it has been logged', { cause: error });
}

const BY_STATUS = new Map<number, { problemType: ProblemType; detail: string }>([
  [400, { problemType: PROBLEMS.UGYLDIG_FORESPORSEL, detail: 'The request can not be read: is the body valid JSON?' }],
  [401, { problemType: PROBLEMS.UGYLDIG_TOKEN, detail: 'The token is not valid' }],
  [403, { problemType: PROBLEMS.IKKE_TILGANG, detail: 'Not granted' }],
  [404, { problemType: PROBLEMS.FINNES_IKKE, detail: 'There is nothing here' }],
  [405, { problemType: PROBLEMS.METODE_IKKE_TILLATT, detail: 'The method is not offered here' }],
  [406, { problemType: PROBLEMS.IKKE_AKSEPTABELT, detail: 'Only application/json is offered' }],
  [408, { problemType: PROBLEMS.TIDSAVBRUDD, detail: 'The request did not arrive in time' }],
  [413, { problemType: PROBLEMS.FOR_STOR, detail: 'The body is too large' }],
  [414, { problemType: PROBLEMS.FOR_LANG_URL, detail: 'The URL is too long' }],
  [415, { problemType: PROBLEMS.FEIL_MEDIETYPE, detail: 'The body must be application/json' }],
  [431, { problemType: PROBLEMS.FOR_STORE_HODER, detail: 'The headers are too large' }],
]);
