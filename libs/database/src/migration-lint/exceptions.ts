/** What a migration may hold for as long as it takes, each with why nobody needs it meanwhile. */
export const MAY_LOCK: readonly { migration: string; table: string; why: string }[] = [
  {
    migration: 'Sletting1795684392617',
    table: 'parkert_melding',
    why: 'No query-api has a right to it, and ingestors of the only release before it (1.0.0) are ended before the job.',
  },
];

/**
 * Those that have been run by a release, with the SHA-256 of their file: they are never changed, and the rules came after
 * them. A release adds those that it has.
 */
export const RELEASED: Readonly<Record<string, string>> = {
  Grunnlag1763890000000: '1d8d4c8b505aadf6f5e21b91b0302dd0af754de559f23192890c34c6e7437a16',
};
