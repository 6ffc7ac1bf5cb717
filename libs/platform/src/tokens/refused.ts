import { PROBLEMS, Problem } from '../problem.ts';

export const invalidToken = (detail: string): Problem => new Problem(PROBLEMS.UGYLDIG_TOKEN, detail);

/** By its name: what stands in it is the caller's text. */
export const invalidClaim = (name: string): Problem => invalidToken(`The claim ${name} of the token is not valid here`);
