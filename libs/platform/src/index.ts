export { hasAppRole, isMachine, navIdentOf, requireAppRole, type EntraToken } from './tokens/entra.ts';
export { isOrganisasjonsnummer } from './organisasjonsnummer.ts';
export type { MaskinportenToken } from './tokens/maskinporten.ts';
export { whyNotPerson } from './tokens/person.ts';
export { clientOf, organisationsOf, type Token } from './tokens/token.ts';
export { startJob, type BackgroundJob } from './background-job.ts';
export { UsageError, runCommand, type Command } from './command.ts';
export { BoundedQueue } from './bounded-queue.ts';
export {
  databaseVariables,
  entraVariables,
  localIssuerVariables,
  maskinportenVariables,
  commonVariables,
  directoryPath,
  filePath,
  hosts,
  integer,
  ConfigError,
  organisasjonsnummer,
  organisasjonsnumre,
  readEnvironment,
  list,
  port,
  text,
  url,
  oneOf,
  type ConfigOf,
  type HostPort,
  type Variable,
} from './config.ts';
export { fingerprint } from './fingerprint.ts';
export { measurePools, type PoolStats } from './pool-metrics.ts';
export { acceptedEncoding, compressStream } from './http/compress.ts';
export { serveDocument, type Document } from './http/document.ts';
export { etagOf, isKnownTo } from './http/etag.ts';
export { requireOwnPage } from './http/own-page.ts';
export { JsonList } from './http/body/json-list.ts';
export { NestedList, NestedObject } from './http/form.ts';
export { formOf, type Members } from './http/made-form.ts';
export { startHttp, type Http, type HttpOptions } from './http/http.ts';
export { IntegerParam } from './http/integer-param.ts';
export { CSS, directoryOfPages, HTML, JS, serveDocuments, servePage, type PageFile } from './http/pages.ts';
export { pageTop, type Bar } from './http/page-top.ts';
export { STYLE_BASE } from './http/style.ts';
export { IgnoresUnknown, rulesPipe, validationPipe } from './http/validation.ts';
export { ProblemDto } from './http/problem.dto.ts';
export { createOpenApi, type OpenApi, type OpenApiOptions } from './openapi.ts';
export { runApp, type Stop } from './run-app.ts';
export { settingsCommand } from './settings-command.ts';
export { SharedMemory } from './shared-memory.ts';
export { StartupError } from './startup-error.ts';
export { API_VERSION } from './version.ts';
export { within } from './within.ts';
export { currentContext, setKonsument, type RequestContext } from './request-context.ts';
export { errorForLog, flushLogger, logger, maskIdents } from './logger.ts';
export { PROBLEMS, Problem, type ProblemType, type FieldError } from './problem.ts';
