import { waitForAnswer } from '../lookups.ts';
import { latenessOf, takeRounds } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig } from '../rig.ts';

const PER_SECOND = 500;
const PARTITIONS = 6;
/** seconds before what is measured */
const WARM_UP = 5;

/** How long after Kafka has acknowledged a message it stands in an answer, at 500 messages a second. */
export function freshness(options: RunOptions): Promise<Findings> {
  const { seconds, trial } = options;
  return withRig(undefined, async (rig) => {
    const system = await rig.createSystem(PARTITIONS);
    try {
      await system.startIngestor();
      const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
      const target = { url, headers: await system.as('alt') };
      await waitForAnswer(target);
      const { brokers, topic } = system.env;
      const shape = { ...target, brokers, topic, partitions: PARTITIONS, perSecond: PER_SECOND };
      await rig.generator.run('freshness', { ...shape, seconds: trial ? 1 : WARM_UP, seed: 1 });
      await system.waitForTopic();
      const findings = new Findings({ 'messages a second': PER_SECOND });
      const taken = await takeRounds(rig.rounds(options), async (round) => {
        const seed = 100 + round.nr;
        const result = await round.measure(() => rig.generator.run('freshness', { ...shape, seconds, seed }));
        await system.waitForTopic();
        round.troubles.push(...latenessOf(result.lateness));
        if (result.seen < seconds * 2) throw new Error(`Only ${String(result.seen)} avtaler were seen`);
        const { p50, p90, p99, max } = result.times;
        return { 'visible.p50': p50, 'visible.p90': p90, 'visible.p99': p99, 'visible.max': max };
      });
      findings.add('', taken);
      await system.readTopic();
      await system.checkCount();
      return findings;
    } finally {
      await system.stop();
    }
  });
}
