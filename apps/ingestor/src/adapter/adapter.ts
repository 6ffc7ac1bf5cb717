import { lagPool } from '@tiltak/database';
import type { Kafka } from 'kafkajs';
import type { Pool } from 'pg';
import type { Konfig } from '../config.ts';
import { valgAvDatabase } from '../database.ts';
import { Publisering } from './publisering.ts';
import { Sletting } from './sletting.ts';
import { Synker } from './synk.ts';

/** Pages that are worked on at once by this process; more wait. */
const SIDER_SAMTIDIG = 4;

/** What serves the organisation's adapter. */
export interface Adapterdel {
  adapterpool: Pool;
  synker: Synker;
  publisering: Publisering;
  /** Ends syncs from now on. */
  start: () => void;
  stopp: () => Promise<void>;
}

/** @param kafka a client that gives up: an adapter is told that Kafka is away */
export function lagAdapterdel(konfig: Konfig, kafka: Kafka, pool: Pool): Adapterdel {
  const adapterpool = lagPool({ ...valgAvDatabase(konfig), poolSize: SIDER_SAMTIDIG });
  const publisering = new Publisering(kafka, konfig.KAFKA_TOPIC);
  const synker = new Synker(adapterpool, publisering, {
    stansetSekunder: konfig.ADAPTER_SYNK_STANSET_SEKUNDER,
    utloeperSekunder: konfig.ADAPTER_SYNK_UTLOEPER_SEKUNDER,
  });
  const sletting = new Sletting(pool, publisering, synker, konfig.ADAPTER_MAKS_SLETTES_PROSENT);
  return {
    adapterpool,
    synker,
    publisering,
    start: () => sletting.start(),
    stopp: async () => {
      await sletting.stopp();
      await publisering.stopp();
      await adapterpool.end();
    },
  };
}
