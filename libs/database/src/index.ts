export { kolonnenavn } from './kolonnenavn.ts';
export { lagDatakilde, poolI, type Databasevalg } from './datakilde.ts';
export { deltakerIdMed, FeilNoekkel, kontrollerNoekkel, type DeltakerId } from './deltaker-id.ts';
export { Instans, KonsumOffset, KonsumStatus, ParkertMelding } from './entiteter.ts';
export { migrer } from './migrer.ts';
