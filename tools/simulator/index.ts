export { forventet, type Forventet, type ForventetAvtale, type PlassertKildemelding } from './fasit.ts';
export { FELTER, type Kildemelding } from './kildemelding.ts';
export { lagHendelser, lagOppdateringer } from './livslop.ts';
