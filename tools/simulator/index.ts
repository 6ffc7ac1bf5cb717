export { expected, type Expected, type PositionedSourceMessage } from './fasit/fasit.ts';
export type { ExpectedAvtale } from './fasit/lesing.ts';
export { createEvents, createUpdates } from './hendelser.ts';
export type { SourceMessage } from './kilde/kildemelding.ts';
