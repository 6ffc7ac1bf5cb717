/** What differs between the uses of the database. */
export interface SessionLimits {
  /** a statement that takes longer is ended by the database, ms */
  statementTimeoutMs: number;
}

/**
 * Every setting of a session that our SQL, or what reads its values, relies on: a database or a role may have other
 * defaults. `default_transaction_read_only` is not among them: who makes a database read-only means it, and is obeyed
 * (`isTransient`).
 */
const FIXED = {
  // How values are written: what reads them knows one form of each.
  client_encoding: 'UTF8',
  DateStyle: 'ISO,MDY',
  TimeZone: 'UTC',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  // How statements are read.
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  search_path: 'public',
  check_function_bodies: 'on',
  // What is seen, and what a commit means: an answer that was audited, and a message that was stored, stay so.
  row_security: 'on',
  gin_fuzzy_search_limit: '0',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  synchronous_commit: 'on',
  // Limits. Long statements set their own, and what waits for a lock has the limit of its statement.
  lock_timeout: '0',
  transaction_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '60000',
  // So that the database notices as soon as we do that the other end has vanished, and lets go of its locks.
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '12000',
} as const;

/** The settings of a session, by the names that Postgres has for them. */
export function sessionSettings({ statementTimeoutMs }: SessionLimits): Record<string, string> {
  return { ...FIXED, statement_timeout: String(statementTimeoutMs) };
}

/**
 * For a session that looks up by key and nothing else: each statement is planned once, whatever its values and the size of
 * its tables. The planner would otherwise read the whole of a table to find some hundred rows by their key.
 */
export const KEYED_ONLY: Readonly<Record<string, string>> = {
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_seqscan: 'off',
};

/**
 * The same as the startup parameter `options`: in force before the first statement, and what `reset` goes back to.
 *
 * @param more settings of this session alone
 */
export function startupOptions(limits: SessionLimits, more: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...sessionSettings(limits), ...more })
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}
