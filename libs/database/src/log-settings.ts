import { isThisMachine } from './connections.ts';

/**
 * What Postgres may write to its log, so that no value of a row, no parameter and no statement gets there. By name: the
 * values that are allowed, the first of which is the one to set. Errors themselves quote values (`invalid input syntax
 * for type date: "…"`), so that they are not written at all: the apps log SQLSTATE and constraint of each.
 */
export const LOG_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  log_min_messages: ['log', 'fatal', 'panic'],
  // Nor are details, hints, queries and the lines of a COPY written of what still is, a connection that is ended say.
  log_error_verbosity: ['terse'],
  log_min_error_statement: ['panic'],
  log_parameter_max_length_on_error: ['0'],
  log_parameter_max_length: ['0'],
  log_statement: ['none'],
  log_min_duration_statement: ['-1'],
  log_min_duration_sample: ['-1'],
  log_transaction_sample_rate: ['0'],
  debug_print_parse: ['off'],
  debug_print_rewritten: ['off'],
  debug_print_plan: ['off'],
};

/** Of extensions that write statements: there only where an instance loads them. */
const EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  'auto_explain.log_min_duration': ['-1'],
  'pgaudit.log': ['none', ''],
};

/** The instance could write personal data to its log. */
export class LogSettingsError extends Error {
  readonly startupError = true;
}

/** Asks the instance, by TypeORM or by pg. */
export type Ask = (sql: string, values: unknown[]) => Promise<{ name: string; setting: string | null }[]>;

/** What is wrong with the settings of the instance, one line for each. */
export async function wrongLogSettings(ask: Ask): Promise<string[]> {
  const rules = Object.entries({ ...LOG_SETTINGS, ...EXTENSIONS });
  const rows = await ask('select name, current_setting(name, true) as setting from unnest($1::text[]) name', [
    rules.map(([name]) => name),
  ]);
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  return rules.flatMap(([name, [wanted = '', ...others]]) => {
    const setting = settings.get(name);
    if (setting === null || setting === undefined || [wanted, ...others].includes(setting)) return [];
    return [`${name} is ${setting} and must be ${wanted}: Postgres would write personal data to its log`];
  });
}

/**
 * On this machine a wrong setting is only told of: the database is somebody's own, and holds nobody's data.
 *
 * @throws LogSettingsError naming each setting that is wrong
 */
export async function checkLogSettings(ask: Ask, host: string, warn: (line: string) => void): Promise<void> {
  const wrong = await wrongLogSettings(ask);
  if (wrong.length > 0 && !isThisMachine(host)) throw new LogSettingsError(wrong.join('\n'));
  wrong.forEach(warn);
}
