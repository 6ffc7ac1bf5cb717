import { randomUUID } from 'node:crypto';
import { waitUntil } from '@tiltak/testing';
import { AdapterApi, type Entry } from '../../reference-adapter/api.ts';
import { send } from '../../reference-adapter/sync.ts';
import type { System } from '../../e2e/system.ts';
import { CpuMeter, cpuPer } from '../measuring/machine.ts';
import { takeRounds } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';

const AVTALER = 100_000;
const OF_TRIAL = 4_000;
const PAGE_SIZE = 2_000;
const CONCURRENCY = 4;
const PARTITIONS = 3;

/** A full sync over REST, from the first page until everything is stored and the sync is completed. */
export function sync(options: RunOptions): Promise<Findings> {
  const avtaler = options.count ?? (options.trial ? OF_TRIAL : AVTALER);
  const findings = new Findings({ avtaler });
  return withRig(undefined, async (rig) => {
    const entries = Array.from({ length: avtaler }, (_, nr) => createEntry(nr));
    const taken = await takeRounds(rig.rounds(options), async (round) => {
      const system = await rig.createSystem(PARTITIONS);
      try {
        const app = await system.startIngestor();
        const api = new AdapterApi(app.url, () => system.tokenForAdapter());
        await api.settKontrakt(ADAPTER_CONTRACT);
        const measured = await round.measure(() => oneSync(rig, app.proc.pid, api, entries));
        await check(system, avtaler);
        return measured;
      } finally {
        await system.stop();
      }
    });
    findings.add('', taken);
    return findings;
  });
}

async function oneSync(
  rig: Rig,
  pid: number,
  api: AdapterApi,
  entries: readonly Entry[],
): Promise<Record<string, number>> {
  const syncId = randomUUID();
  const meter = new CpuMeter({ ingestor: pid, postgres: rig.postgres.proc().pid, kafka: rig.kafka.proc().pid });
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
  return { perSecond: entries.length / seconds, ...cpuPer(entries.length, meter.read()) };
}

async function check(system: System, count: number): Promise<void> {
  const [row] = await system.sql<{ n: number }>('select count(*)::int as n from avtale where slettet is null');
  if (row?.n !== count) throw new Error('What is stored is not what was sent');
}

export const ADAPTER_CONTRACT = {
  adapterId: 'bench',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};

export function createEntry(avtaleNr: number): Entry {
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
