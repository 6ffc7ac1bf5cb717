import { LOCKS } from '@tiltak/database';
import { VIRKSOMHETER } from '@tiltak/virksomhet';
import type { ResourceIngest } from '../../ingest/resource-writer.ts';
import { checkHierarchy, followHierarchy } from './hierarchy.ts';
import { HovedenhetTold } from './hovedenhet-told.job.ts';
import { MissingVirksomheter } from './missing.job.ts';

export const virksomheter: ResourceIngest = {
  resource: VIRKSOMHETER,
  topicVariable: 'VIRKSOMHET_TOPIC',
  lock: LOCKS.HIERARCHY,
  follow: followHierarchy,
  check: async (pool) => (await checkHierarchy(pool, { repair: true })).length,
  jobs: ({ pool, giveWay }) => [new HovedenhetTold(pool, giveWay), new MissingVirksomheter(pool)],
};
