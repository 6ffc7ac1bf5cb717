import { HttpException } from '@nestjs/common';
import { fellesFeil, Problem, type Feilkode } from '../problem.ts';

/** Any error as the problem that the caller is told. What isn't expected is 500 and says nothing of its cause. */
export function oversett(feil: unknown): Problem {
  if (feil instanceof Problem) return feil;
  const { statusCode, code } = (feil ?? {}) as { statusCode?: unknown; code?: unknown };
  if (code === 'FST_ERR_BAD_URL') return new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The URL can not be decoded');
  const status = feil instanceof HttpException ? feil.getStatus() : statusCode;
  const kjent = typeof status === 'number' ? PER_STATUS.get(status) : undefined;
  if (kjent) return new Problem(kjent.feilkode, kjent.detail, { cause: feil });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The request can not be read', { cause: feil });
  }
  return new Problem(fellesFeil.INTERN_FEIL, 'Something went wrong here; it has been logged', { cause: feil });
}

const PER_STATUS = new Map<number, { feilkode: Feilkode; detail: string }>([
  [400, { feilkode: fellesFeil.UGYLDIG_FORESPORSEL, detail: 'The request can not be read: is the body valid JSON?' }],
  [401, { feilkode: fellesFeil.UGYLDIG_TOKEN, detail: 'The token is not valid' }],
  [403, { feilkode: fellesFeil.IKKE_TILGANG, detail: 'Not granted' }],
  [404, { feilkode: fellesFeil.FINNES_IKKE, detail: 'There is nothing here' }],
  [405, { feilkode: fellesFeil.METODE_IKKE_TILLATT, detail: 'The method is not offered here' }],
  [406, { feilkode: fellesFeil.IKKE_AKSEPTABELT, detail: 'Only application/json is offered' }],
  [408, { feilkode: fellesFeil.TIDSAVBRUDD, detail: 'The request did not arrive in time' }],
  [413, { feilkode: fellesFeil.FOR_STOR, detail: 'The body is too large' }],
  [414, { feilkode: fellesFeil.FOR_LANG_URL, detail: 'The URL is too long' }],
  [415, { feilkode: fellesFeil.FEIL_MEDIETYPE, detail: 'The body must be application/json' }],
  [431, { feilkode: fellesFeil.FOR_STORE_HODER, detail: 'The headers are too large' }],
]);
