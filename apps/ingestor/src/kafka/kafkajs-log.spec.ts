import { logLevel } from 'kafkajs';
import { levelOf } from './kafkajs-log.ts';

/** As kafkajs 2.2.4 says it. */
const REBALANCE = 'The group is rebalancing, so a rejoin is needed';
const FORBIDDEN = 'Not authorized to access topics: [Topic authorization failed]';

test.each([
  ['error', 'Response Heartbeat(key: 12, version: 3)', REBALANCE, 'info'],
  ['error', 'Response SyncGroup(key: 14, version: 3)', 'The coordinator is not aware of this member', 'info'],
  ['error', 'Response GroupCoordinator(key: 10, version: 2)', 'The group coordinator is not available', 'info'],
  ['warn', 'The group is rebalancing, re-joining', REBALANCE, 'info'],
  ['error', 'The coordinator is not aware of this member, re-joining the group', undefined, 'info'],
  [
    'error',
    'Response Metadata(key: 3, version: 5)',
    'There is no leader for this topic-partition as we are in the middle of a leadership election',
    'warn',
  ],
  ['error', 'Response Fetch(key: 1, version: 11)', FORBIDDEN, 'error'],
  ['error', 'Connection error: connect ECONNREFUSED 127.0.0.1:20284', undefined, 'warn'],
  [
    'error',
    'Failed to connect to seed broker, trying another broker from the list: Connection timeout',
    undefined,
    'warn',
  ],
  ['error', 'Connection error: unable to verify the first certificate', undefined, 'error'],
  ['error', 'SASL PLAIN authentication failed', undefined, 'error'],
  ['error', 'Crash: KafkaJSNumberOfRetriesExceeded: Connection closed', undefined, 'warn'],
  [
    'error',
    "Crash: KafkaJSProtocolError: The coordinator is loading and hence can't process requests for this group",
    undefined,
    'warn',
  ],
  ['error', 'Crash: TypeError: x is not a function', undefined, 'error'],
  ['error', 'Offset out of range, resetting to default offset', undefined, 'error'],
  ['warn', 'Limiting retries for the idempotent producer may invalidate EoS guarantees', undefined, 'debug'],
  ['warn', 'Consumer group received unsubscribed topics', undefined, 'warn'],
] as const)('%s «%s» (%s) is %s', (said, message, error, level) => {
  const line = { level: said === 'error' ? logLevel.ERROR : logLevel.WARN, log: { timestamp: '', message, error } };
  expect(levelOf(line as never)).toBe(level);
});
