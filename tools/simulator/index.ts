export { forventet, type Forventet, type PlassertKildemelding } from './fasit/fasit.ts';
export type { ForventetAvtale } from './fasit/lesing.ts';
export { lagHendelser, lagOppdateringer } from './hendelser.ts';
export type { Kildemelding } from './kilde/kildemelding.ts';
