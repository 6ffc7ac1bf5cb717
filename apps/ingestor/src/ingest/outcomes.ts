import { metrics } from '../metrics.ts';
import type { Counts } from './effects.ts';
import type { ParkedMessage } from './parse.ts';

/** Counts a batch that is stored. */
export function countBatch(
  messages: number,
  { parked, alreadyProcessed }: { parked: readonly ParkedMessage[]; alreadyProcessed: number },
): void {
  metrics.batchMessages.observe(messages);
  metrics.messages.inc({ utfall: 'BEHANDLET_FOER' }, alreadyProcessed);
  metrics.messages.inc({ utfall: 'PARKERT' }, parked.length);
  for (const { code, field } of parked) metrics.parked.inc({ kode: code, felt: field ?? '' });
}

/** Counts what the messages of a transaction came to. */
export function countMessages({ outcomes, unknown }: Counts): void {
  for (const [name, count] of Object.entries(outcomes)) metrics.messages.inc({ utfall: name }, count);
  for (const [field, count] of unknown) metrics.unknownValue.inc({ felt: field }, count);
}
