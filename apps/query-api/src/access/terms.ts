import { forbidden } from './grant.ts';
import type { Konsument } from './konsumenter.ts';

/** Of docs/bruksvilkaar.md that a consumer may have accepted, newest last. An older one stays while consumers change over. */
export const TERMS_VERSIONS: readonly number[] = [1];

const DOCUMENT = 'docs/bruksvilkaar.md';

/** The version to accept, when the consumer has accepted none that is valid. */
export function missingTerms({ bruksvilkaar: accepted }: Konsument): number | undefined {
  return accepted !== undefined && TERMS_VERSIONS.includes(accepted) ? undefined : TERMS_VERSIONS.at(-1);
}

/** @throws Problem 403 that names the version to accept */
export function requireTerms(konsument: Konsument): void {
  const missing = missingTerms(konsument);
  if (missing === undefined) return;
  const { bruksvilkaar: accepted } = konsument;
  throw forbidden(
    `The consumer must accept version ${String(missing)} of the terms of use (${DOCUMENT}), and has accepted ${accepted === undefined ? 'none' : `version ${String(accepted)}`}`,
  );
}
