import { logLevel, type LogEntry } from 'kafkajs';
import { errorCodes } from 'kafkajs/src/protocol/error.js';

type Level = 'error' | 'warn' | 'info' | 'debug';

/** What a broker answers while members of a group come and go: kafkajs joins it again. */
const GROUP_CHANGES: ReadonlySet<string> = new Set([
  'REBALANCE_IN_PROGRESS',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'MEMBER_ID_REQUIRED',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/** By what a broker's answer says in words, which is all that kafkajs tells of it. */
const ANSWERS = new Map<string, Level>(
  errorCodes.map(({ type, retriable, message }) => [
    message,
    GROUP_CHANGES.has(type) ? 'info' : retriable ? 'warn' : 'error',
  ]),
);

/** The first that fits decides. */
const LINES: readonly (readonly [RegExp, Level])[] = [
  // Said at each start, of what is chosen on purpose.
  [/^KafkaJS v2\.0\.0 switched default partitioner|^Limiting retries for the idempotent producer/, 'debug'],
  [/re-joining( the group)?$|, resync group$/, 'info'],
  // Restarted by kafkajs; that it does not get on is seen by the alerts on what is read.
  [/^Restarting the consumer in |^Crash: KafkaJSNumberOfRetriesExceeded/, 'warn'],
  // The network: tried again for ever, and whoever waits for an answer is told by us.
  [
    /\bE(CONN\w+|TIMEDOUT|PIPE|NOTFOUND|AI_AGAIN|HOSTUNREACH|NETUNREACH)\b|Connection (timeout|closed)|disconnected/i,
    'warn',
  ],
  [/^Failed to connect to (seed )?broker, (trying another|reconnecting)/, 'warn'],
];

/**
 * How much a line of kafkajs matters here. It says «error» of whatever did not go as it wished, also of what it goes on
 * from by itself; an error is what somebody should look at.
 */
export function levelOf({ level, log }: Pick<LogEntry, 'level' | 'log'>): Level {
  const { message, error } = log as { message: string; error?: unknown };
  const answer = ANSWERS.get(String(error)) ?? ANSWERS.get(message.replace(/^Crash: \w+: /, ''));
  // Nothing is made more of than kafkajs does.
  if (answer && (level === logLevel.ERROR || answer === 'info')) return message.startsWith('Crash') ? 'warn' : answer;
  const known = LINES.find(([form]) => form.test(message))?.[1];
  return known ?? (level === logLevel.ERROR ? 'error' : 'warn');
}
