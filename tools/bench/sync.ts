import { randomUUID } from 'node:crypto';
import { waitUntil } from '@tiltak/testing';
import { AdapterApi, type Entry } from '../reference-adapter/api.ts';
import { send } from '../reference-adapter/sync.ts';
import { System } from '../e2e/system.ts';
import { median } from './measure.ts';
import { startRig, type Rig } from './rig.ts';

const PAGE_SIZE = 2_000;
const CONCURRENCY = 4;

/** A full sync over REST, from the first page until everything is stored and the sync is completed. */
export async function sync({ antall: count, rounds }: { antall: number; rounds: number }): Promise<unknown> {
  const rig = await startRig();
  try {
    const perSecond: number[] = [];
    for (let n = 0; n < rounds; n++) perSecond.push(await round(rig, count));
    return {
      avtaler: count,
      sidestoerrelse: PAGE_SIZE,
      parallelt: CONCURRENCY,
      avtalerPerSecond: median(perSecond),
    };
  } finally {
    await rig.stop();
  }
}

async function round(rig: Rig, count: number): Promise<number> {
  const system = await System.create({ postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    const { url } = await system.startIngestor();
    const api = new AdapterApi(url, () => system.tokenForAdapter());
    await api.settKontrakt(CONTRACT);
    const entries = Array.from({ length: count }, (_, nr) => createEntry(nr));
    const syncId = randomUUID();
    const begun = performance.now();
    await send(api, entries, {
      method: 'POST',
      syncId,
      pageSize: PAGE_SIZE,
      concurrency: CONCURRENCY,
      progress: () => undefined,
    });
    await waitUntil(async () => (await api.hentSynk(syncId)).tilstand === 'FULLFOERT', {
      what: 'the sync to be completed',
      maxMs: 600_000,
      everyMs: 50,
    });
    const seconds = (performance.now() - begun) / 1_000;
    const [row] = await system.sql<{ antall: number }>(
      'select count(*)::int as antall from avtale where slettet is null',
    );
    if (row?.antall !== count) throw new Error('What is stored is not what was sent');
    return count / seconds;
  } finally {
    await system.stop();
  }
}

const CONTRACT = {
  adapterId: 'bench',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};

function createEntry(avtaleNr: number): Entry {
  const avtaleId = randomUUID();
  return {
    id: avtaleId,
    ressurs: {
      avtaleId,
      avtaleNr,
      bedriftNr: '999999999',
      bedriftNavn: 'Bedrift AS',
      tiltakstype: 'ARBEIDSTRENING',
      avtaleStatus: 'GJENNOMFØRES',
      versjon: 1,
      startDato: '2026-01-01',
      sluttDato: '2026-12-31',
      stillingprosent: 50,
      opprettetTidspunkt: '2026-01-01T10:00:00',
      sistEndret: '2026-01-01T00:00:00Z',
    },
  };
}
