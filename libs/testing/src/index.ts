export { lagArbeidsmappe } from './stack/arbeidsmappe.ts';
export { startKafka, type LokalKafka } from './stack/kafka.ts';
export { klargjorKafka } from './stack/kafka-verktoy.ts';
export { ManglerVerktoy } from './stack/mangler-verktoy.ts';
export { opprettDatabase, type Organisasjonsdatabase } from './stack/organisasjon.ts';
export { finnNettleser, startNettleser } from './nettleser.ts';
export { startPostgres, type LokalPostgres } from './stack/postgres.ts';
export {
  erILive,
  kjorProgram,
  ledigPort,
  portErLedig,
  portSvarer,
  startProsess,
  ventTil,
  type Prosess,
} from './stack/prosess.ts';
export { LOKALT, ROT } from './stack/steder.ts';
export { startUtsteder, type LokalUtsteder } from './stack/utsteder.ts';
export {
  opprettTestdatabase,
  opprettTesttopic,
  opprettTopic,
  testmiljo,
  type Kafkamelding,
  type Plassering,
  type Testdatabase,
  type Testtopic,
} from './suite.ts';
export { erGyldigFnr, erGyldigOrgnr, syntetiskFnr, syntetiskNavIdent, syntetiskOrgnr } from './identer.ts';
