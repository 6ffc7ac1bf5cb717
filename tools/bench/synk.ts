import { randomUUID } from 'node:crypto';
import { ventTil } from '@tiltak/testing';
import { AdapterApi, type Innslag } from '../adapter/api.ts';
import { send } from '../adapter/synk.ts';
import { System } from '../e2e/system.ts';
import { median } from './maaling.ts';
import { startRigg, type Rigg } from './rigg.ts';

const SIDESTOERRELSE = 2_000;
const PARALLELT = 4;

/** A full sync over REST, from the first page until everything is stored and the sync is completed. */
export async function synk({ antall, runder }: { antall: number; runder: number }): Promise<unknown> {
  const rigg = await startRigg();
  try {
    const perSekund: number[] = [];
    for (let n = 0; n < runder; n++) perSekund.push(await runde(rigg, antall));
    return {
      avtaler: antall,
      sidestoerrelse: SIDESTOERRELSE,
      parallelt: PARALLELT,
      avtalerPerSekund: median(perSekund),
    };
  } finally {
    await rigg.stopp();
  }
}

async function runde(rigg: Rigg, antall: number): Promise<number> {
  const system = await System.lag({ postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  try {
    const { url } = await system.startIngestor();
    const api = new AdapterApi(url, () => system.tokenForAdapter());
    await api.settKontrakt(KONTRAKT);
    const innslag = Array.from({ length: antall }, (_, nr) => lagInnslag(nr));
    const synkId = randomUUID();
    const begynt = performance.now();
    await send(api, innslag, {
      metode: 'POST',
      synkId,
      sidestoerrelse: SIDESTOERRELSE,
      parallelt: PARALLELT,
      framdrift: () => undefined,
    });
    await ventTil(async () => (await api.hentSynk(synkId)).tilstand === 'FULLFOERT', {
      hva: 'the sync to be completed',
      maksMs: 600_000,
      hverMs: 50,
    });
    const sekunder = (performance.now() - begynt) / 1_000;
    const [rad] = await system.sql<{ antall: number }>(
      'select count(*)::int as antall from avtale where slettet is null',
    );
    if (rad?.antall !== antall) throw new Error('What is stored is not what was sent');
    return antall / sekunder;
  } finally {
    await system.stopp();
  }
}

const KONTRAKT = {
  adapterId: 'bench',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};

function lagInnslag(avtaleNr: number): Innslag {
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
