import { PROBLEMS, Problem } from '@tiltak/platform';

/** The statuses that can be asked for, as the product tells of each. */
const BY_STATUS = {
  401: PROBLEMS.UGYLDIG_TOKEN,
  403: PROBLEMS.IKKE_TILGANG,
  408: PROBLEMS.TIDSAVBRUDD,
  410: PROBLEMS.UTGAATT,
  429: PROBLEMS.FOR_MANGE,
  500: PROBLEMS.INTERN_FEIL,
  503: PROBLEMS.UTILGJENGELIG,
} as const;

export const FAULT_STATUSES = Object.keys(BY_STATUS).map(Number);

const NEW_START = { nyStart: { eksport: '/api/v1/eksport', endringer: '/api/v1/endringer?fra=naa' } };

/** A problem with this status, in the product's form. */
export function plannedProblem(status: number, retryAfter: number | undefined): Problem {
  const type = Object.entries(BY_STATUS).find(([own]) => Number(own) === status)?.[1] ?? PROBLEMS.INTERN_FEIL;
  const again = status === 429 || status === 503 ? { retryAfter: retryAfter ?? 1 } : {};
  return new Problem(type, 'The sandbox was asked to answer with this (POST /sandkasse/v1/feil)', {
    ...again,
    ...(status === 410 ? { felter: NEW_START } : {}),
  });
}
