export { createWorkDir } from './stack/arbeidsmappe.ts';
export { startKafka, type LocalKafka } from './stack/kafka.ts';
export { prepareKafka } from './stack/kafka-verktoy.ts';
export { MissingToolError } from './stack/mangler-verktoy.ts';
export { createDatabase, type OrganisasjonDatabase } from './stack/organisasjon.ts';
export { findBrowser, startBrowser } from './nettleser.ts';
export { startPostgres, type LocalPostgres } from './stack/postgres.ts';
export {
  isAlive,
  runProgram,
  freePort,
  isPortFree,
  portAnswers,
  startProcess,
  waitUntil,
  type ManagedProcess,
} from './stack/prosess.ts';
export { LOCAL_DIR, ROOT } from './stack/steder.ts';
export { startTokenIssuer, type TokenIssuer } from './stack/utsteder.ts';
export {
  createTestDatabase,
  createTestTopic,
  createTopic,
  testEnvironment,
  type TestMessage,
  type Placement,
  type TestDatabase,
  type TestTopic,
} from './suite.ts';
export { isValidFnr, isValidOrgnr, syntheticFnr, syntheticNavIdent, syntheticOrgnr } from './identer.ts';
