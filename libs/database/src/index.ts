export { AvvistAvDatabasen, erForbigaaende, koble } from './koble.ts';
export { kolonnenavn } from './kolonnenavn.ts';
export { databasevalg, lagDatakilde, lagPool, type Databasevalg } from './datakilde.ts';
export { deltakerIdMed, FeilNoekkel, kontrollerNoekkel, skrivNoekkelkontroll, type DeltakerId } from './deltaker-id.ts';
export { Instans, KonsumOffset, KonsumStatus, ParkertMelding } from './entiteter.ts';
export { migrer } from './migrer.ts';
