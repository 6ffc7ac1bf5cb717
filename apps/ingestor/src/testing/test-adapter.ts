import { randomUUID } from 'node:crypto';
import { opprettTesttopic, testmiljo, ventTil, type Testtopic } from '@tiltak/testing';
import { Sletting } from '../adapter/sletting.ts';
import { BatchStrategi } from '../kafka/batch-strategi.ts';
import { lagKafka } from '../kafka/klient.ts';
import { klargjorPosisjoner } from '../kafka/posisjoner.ts';
import { startTestDrift, type Svar, type TestDrift } from './test-drift.ts';

export interface TestAdapter extends TestDrift {
  topic: Testtopic;
  sletting: Sletting;
  /** As the adapter of the contract. */
  send: (metode: string, sti: string, body?: unknown) => Promise<Svar>;
  /** As `send`, of a page; `avtaler`: ids, or id and fields. */
  side: (metode: 'POST' | 'PATCH' | 'DELETE', hode: Sidehode, avtaler: Avtaleinnslag[]) => Promise<Svar>;
  /** Reads the topic into the database from now on. */
  les: () => void;
  /** Until a sync is in that state, and all that is on the topic is stored. */
  ventPaa: (synkId: string, tilstand: string) => Promise<void>;
  /** The ids of the avtaler that consumers would see, with the number of each. */
  synlige: () => Promise<Record<string, number | null>>;
}

interface Sidehode {
  synkId: string;
  side?: number;
  antallSider?: number;
  antallTotalt?: number;
}

type Avtaleinnslag = { id: string } & Record<string, unknown>;

export const ADAPTER = { scope: 'tiltak:adapter', organisasjon: 'nav' };
export const KONTRAKT = {
  adapterId: 'spec-adapter',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};

/** The adapter API over HTTP, with a topic and a database of its own. */
export async function startTestAdapter({ partisjoner = 2 } = {}): Promise<TestAdapter> {
  const topic = await opprettTesttopic({ partisjoner });
  const brokers = testmiljo().kafka.split(',');
  const drift = await startTestDrift({ brokers, topic: topic.topic });
  const { pool, publisering, synker, innlesning, eier } = drift;
  const sletting = new Sletting(pool, publisering, synker, 20);
  const kafka = lagKafka({ brokers, clientId: 'spec' });
  const leser = new BatchStrategi(
    kafka,
    { topic: topic.topic, monster: 'm', groupId: randomUUID(), samtidigePartisjoner: 2 },
    (partisjoner) => klargjorPosisjoner(eier, topic.admin, topic.topic, partisjoner),
  );
  leser.addHandler('m', async (batch) => (await innlesning.lesInn(batch)).nesteOffset);
  let leses = false;
  const send: TestAdapter['send'] = (metode, sti, body) => drift.kall(metode, `/adapter/v1/${sti}`, body, ADAPTER);
  return {
    ...drift,
    topic,
    sletting,
    send,
    side: (metode, { side = 1, antallSider = 1, antallTotalt, synkId }, avtaler) =>
      send(metode, 'avtaler/synk', {
        metadata: { synkId, side, antallSider, antallTotalt: antallTotalt ?? avtaler.length },
        ressurser: avtaler.map(({ id, ...felter }) =>
          metode === 'DELETE' ? { id } : { id, ressurs: ressurs(id, felter) },
        ),
      }),
    les: () => {
      leses = true;
      leser.listen(() => undefined);
    },
    ventPaa: async (synkId, tilstand) => {
      await ventTil(
        async () => {
          await sletting.runde();
          return (await send('GET', `synk/${synkId}`)).body.tilstand === tilstand;
        },
        { hva: `the sync to be ${tilstand}` },
      );
      await ventTil(() => sletting.erLestInn(), { hva: 'everything to be stored' });
    },
    synlige: async () => {
      const { rows } = await pool.query<{ id: string; nr: number | null }>(
        'select avtale_id as id, avtale_nr as nr from avtale where slettet is null order by 1',
      );
      return Object.fromEntries(rows.map(({ id, nr }) => [id, nr]));
    },
    stopp: async () => {
      if (leses) await leser.close();
      await drift.stopp();
      await topic.slett();
    },
  };
}

function ressurs(avtaleId: string, felter: Record<string, unknown>): Record<string, unknown> {
  return { avtaleId, sistEndret: '2026-01-01T00:00:00Z', ...felter };
}
