/** Of the published API, in both documents: `tools/docs/version.spec.ts` holds packages and CHANGELOG to it. */
export const API_VERSION = '1.1.0';
