import { forbidden } from './grant.ts';
import type { Konsument } from './konsumenter.ts';

/** Of docs/bruksvilkaar.md that a consumer may have accepted, newest last. An older one stays while consumers change over. */
export const TERMS_VERSIONS: readonly number[] = [1];

const DOCUMENT = 'docs/bruksvilkaar.md';

/** @throws Problem 403 that names the version to accept */
export function requireTerms({ bruksvilkaar: accepted }: Konsument): void {
  if (accepted !== undefined && TERMS_VERSIONS.includes(accepted)) return;
  const newest = String(TERMS_VERSIONS.at(-1));
  throw forbidden(
    `The consumer must accept version ${newest} of the terms of use (${DOCUMENT}), and has accepted ${accepted === undefined ? 'none' : `version ${String(accepted)}`}`,
  );
}
