export { createWorkDir } from './stack/work-dir.ts';
export { startKafka, type LocalKafka } from './stack/kafka.ts';
export { prepareKafka } from './stack/kafka-jars.ts';
export { startJavaProducer, type JavaProducer, type JavaStep } from './stack/java-producer.ts';
export { MissingToolError } from './stack/missing-tool-error.ts';
export { createDatabase, type OrganisasjonDatabase } from './stack/organisasjon-database.ts';
export { needsBrowser, seriousFaults, startBrowser } from './browser.ts';
export { needsPgBouncer, startPgBouncer, type Pooler } from './pgbouncer.ts';
export { startPostgres, type LocalPostgres } from './stack/postgres.ts';
export { startStandby, type Standby } from './stack/standby.ts';
export { PostgresGroup } from './stack/postgres-group.ts';
export { Front } from './stack/front.ts';
export {
  isAlive,
  runProgram,
  freePort,
  isPortFree,
  portAnswers,
  startProcess,
  waitUntil,
  type ManagedProcess,
} from './stack/process.ts';
export { LOCAL_DIR, ROOT } from './stack/paths.ts';
export { onDuty, ON_DUTY_NAV_IDENT, startTokenIssuer, type TokenIssuer } from './token-issuer.ts';
export {
  LOCKS,
  createTestDatabase,
  createTestTopic,
  createTopic,
  testEnvironment,
  type TestMessage,
  type Placement,
  type TestDatabase,
  type TestTopic,
} from './suite.ts';
export { isValidFnr, isValidOrgnr, syntheticFnr, syntheticNavIdent, syntheticOrgnr } from './idents.ts';
export { statusBeforeBody } from './headers-only.ts';
export { toleratedOf, wrongRequests, type RequestDocument, type WrongRequest } from './wrong-requests.ts';
export { TABLE_SETUP, TOKEN_TABLE, type TokenRow, type Verdict } from './token-table/token-table.ts';
export { AUDIENCES, startTwoIssuers, type TwoIssuers } from './token-table/two-issuers.ts';
