export { ManglerVerktoy, startKafka, type LokalKafka } from './stack/kafka.ts';
export { opprettDatabase, startPostgres, type LokalPostgres, type Organisasjonsdatabase } from './stack/postgres.ts';
export { ledigPort, portErLedig, portSvarer, startProsess, ventTil, type Prosess } from './stack/prosess.ts';
export { LOKALT, ROT } from './stack/steder.ts';
export { startUtsteder, type LokalUtsteder } from './stack/utsteder.ts';
export { opprettTestdatabase, opprettTesttopic, testmiljo, type Kafkamelding, type Plassering, type Testdatabase, type Testtopic } from './suite.ts';
