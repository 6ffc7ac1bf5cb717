import { VIRKSOMHETER } from '@tiltak/virksomhet';
import type { ResourceDefinition } from '../resource.ts';
import { checkHierarchy, followHierarchy } from './hierarchy.ts';
import { HovedenhetTold } from './hovedenhet-told.job.ts';
import { MissingVirksomheter } from './missing.job.ts';

const EXAMPLE_NUMBER = '999999999';

export const virksomheter: ResourceDefinition = {
  resource: VIRKSOMHETER,
  topicVariable: 'VIRKSOMHET_TOPIC',
  follow: followHierarchy,
  check: async (pool, options) => (await checkHierarchy(pool, options)).length,
  jobs: ({ pool, giveWay }) => [new HovedenhetTold(pool, giveWay), new MissingVirksomheter(pool)],
  push: {
    operations: {
      full: 'sendFullSynkVirksomheter',
      delta: 'sendDeltaSynkVirksomheter',
      deletion: 'sendSlettingVirksomheter',
    },
    schemas: {
      resource: 'Virksomhetsressurs',
      entry: 'Virksomhetsinnslag',
      deletedEntry: 'Virksomhetsslettinnslag',
      page: 'Virksomhetsside',
      deletionPage: 'Virksomhetssletteside',
    },
    words: {
      several: 'virksomheter',
      deleted: 'numbers of virksomheter',
      entry: 'The unit as it is now',
      order: 'When the register last changed it',
      full: 'so it also holds those that are struck off',
      deletion:
        'Not of those that are struck off, which are sent with slettetDato: of those that the register tells nothing of any more.',
    },
    examples: {
      organisasjonsnummer: EXAMPLE_NUMBER,
      sistEndret: '2026-01-31T10:00:00.123456Z',
      navn: 'Eksempelbedriften AS',
      organisasjonsform: 'BEDR',
      overordnetEnhet: EXAMPLE_NUMBER,
      naeringskode: '78.100',
      kommunenummer: '0301',
      slettetDato: '2026-01-31',
    },
  },
};
