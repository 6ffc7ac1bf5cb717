import { Agent, request } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import { System } from '../e2e/system.ts';
import { forhold, maksRss, median } from './maaling.ts';
import { fyll, ventPaaSvar, type Maal } from './query.ts';
import { medKlient, startRigg } from './rigg.ts';

/** All avtaler over HTTP, against the limit: the same rows by COPY, not looked at. */
export async function eksport({ avtaler, runder }: { avtaler: number; runder: number }): Promise<unknown> {
  const rigg = await startRigg();
  const system = await System.lag({ partisjoner: 1, postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  try {
    await system.startIngestor();
    const app = await system.startQueryApi({ LOG_LEVEL: 'warn' });
    const api: Maal = { url: app.url, hoder: await system.som('alt') };
    await fyll(system.url, avtaler);
    await ventPaaSvar(api);
    const foer = maksRss(app.prosess.pid);
    const vaare: number[] = [];
    const grenser: number[] = [];
    for (let n = 0; n < runder; n++) {
      vaare.push(await takt(() => lesAlt(api)));
      grenser.push(await takt(() => kopierAlt(system.url)));
    }
    return {
      avtaler,
      avtalerPerSekund: median(vaare),
      grenseAvtalerPerSekund: median(grenser),
      forholdTilGrense: forhold(vaare, grenser),
      rssFoerMiB: Math.round(foer),
      maksRssMiB: Math.round(maksRss(app.prosess.pid)),
    };
  } finally {
    await system.stopp();
    await rigg.stopp();
  }
}

/** Lines per second. */
async function takt(les: () => Promise<number>): Promise<number> {
  const fra = performance.now();
  const linjer = await les();
  return linjer / ((performance.now() - fra) / 1_000);
}

/** @throws when there are fewer lines than the first one says */
async function lesAlt({ url, hoder }: Maal): Promise<number> {
  const teller = new Linjeteller();
  const agent = new Agent();
  await new Promise<void>((ferdig, feilet) => {
    request(`${url}/api/v1/eksport`, { headers: { authorization: hoder['authorization'] }, agent }, (svar) => {
      pipeline(svar, teller).then(ferdig, feilet);
    })
      .on('error', feilet)
      .end();
  });
  agent.destroy();
  const { antall } = JSON.parse(teller.foerste) as { antall: number };
  if (teller.linjer !== antall + 1) throw new Error(`${String(teller.linjer)} lines, and not ${String(antall + 1)}`);
  return antall;
}

async function kopierAlt(url: string): Promise<number> {
  const teller = new Linjeteller();
  await medKlient(url, (db) => pipeline(db.query(copyTo('copy (select * from avtale_synlig) to stdout')), teller));
  return teller.linjer;
}

class Linjeteller extends Writable {
  linjer = 0;
  foerste = '';

  override _write(bit: Buffer, _koding: string, ferdig: () => void): void {
    if (this.linjer === 0) this.foerste = bit.toString('utf8', 0, bit.indexOf('\n'));
    for (let i = bit.indexOf(0x0a); i >= 0; i = bit.indexOf(0x0a, i + 1)) this.linjer++;
    ferdig();
  }
}
