/** Something is wrong with the set-up, said in one sentence that names it: shown without a stack. */
export class Oppstartsfeil extends Error {}

/** Also errors of libraries that don't know this one, and say of themselves that they are. */
export function erOppstartsfeil(feil: unknown): feil is Error {
  return feil instanceof Oppstartsfeil || (feil instanceof Error && 'oppstartsfeil' in feil);
}
