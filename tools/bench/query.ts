import { join } from 'node:path';
import autocannon from 'autocannon';
import { ledigPort, lagArbeidsmappe, ROT, startProsess, syntetiskFnr, ventTil } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { jevnLast } from './jevn-last.ts';
import { forhold, median, type Runder } from './maaling.ts';
import { medKlient, startRigg } from './rigg.ts';

const OPERASJONER = { tiltaksstatus: '/api/v1/personer/tiltaksstatus', sok: '/api/v1/avtaler/sok' };
const SEKUNDER = 5;
const DATO = '2026-03-01';

interface Last {
  /** requests per second */
  perSekund: number;
  p99Ms: number;
}

/** Where calls go, and as whom. */
export interface Maal {
  url: string;
  hoder: Record<string, string>;
}

/**
 * Look-ups of one person, with token check, grants and audit, against the limit: bare Fastify and a prepared statement.
 * `bulk` asks for 1,000 persons in a call instead, against one.
 */
export async function query(valg: { avtaler: number; runder: number; bulk: boolean }): Promise<unknown> {
  const rigg = await startRigg();
  const system = await System.lag({ partisjoner: 1, postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  const { katalog, rydd } = lagArbeidsmappe('bench-bar');
  const port = await ledigPort();
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi({ DB_POOL_SIZE: '10', LOG_LEVEL: 'warn' });
    await fyll(system.url, valg.avtaler);
    const bar = startProsess(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(ROT, 'tools', 'bench', 'bar.ts')],
      join(katalog, 'bar.log'),
      {
        env: { PATH: process.env['PATH'] ?? '', PORT: String(port), DATABASE_URL: system.url, POOL_SIZE: '10' },
      },
    );
    try {
      const grense: Maal = { url: `http://127.0.0.1:${String(port)}`, hoder: { 'content-type': 'application/json' } };
      const api: Maal = { url, hoder: await system.som('alt') };
      await ventTil(
        () =>
          fetch(`${grense.url}/internal/isready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        { hva: 'the bare server' },
      );
      await ventPaaSvar(api);
      await kontroller(api);
      return valg.bulk ? await bulk(api, valg) : await enkeltvis(api, grense, valg);
    } finally {
      await bar.stopp();
    }
  } finally {
    await system.stopp();
    await rigg.stopp();
    rydd();
  }
}

async function enkeltvis(
  api: Maal,
  grense: Maal,
  { avtaler, runder }: { avtaler: number; runder: number },
): Promise<unknown> {
  const svar: Record<string, unknown> = { avtaler };
  for (const operasjon of Object.keys(OPERASJONER) as (keyof typeof OPERASJONER)[]) {
    for (const forbindelser of [32, 256]) {
      // Warm-up: the first second is the compiler's.
      await last(api, operasjon, { forbindelser, sekunder: 2, avtaler });
      await last(grense, operasjon, { forbindelser, sekunder: 2, avtaler });
      const par: [Last, Last, Last][] = [];
      for (let n = 0; n < runder; n++) {
        const vaar = await last(api, operasjon, { forbindelser, avtaler });
        const bar = await last(grense, operasjon, { forbindelser, avtaler });
        const rolig = await jevnLast(api, lagForesporsler(operasjon, { avtaler }), {
          forbindelser,
          takt: vaar.perSekund * 0.7,
          sekunder: SEKUNDER,
        });
        par.push([vaar, bar, rolig]);
      }
      const [vaare, bare] = [par.map(([vaar]) => vaar.perSekund), par.map(([, bar]) => bar.perSekund)];
      svar[`${operasjon}-${String(forbindelser)}`] = {
        perSekund: median(vaare),
        grensePerSekund: median(bare),
        forholdTilGrense: forhold(vaare, bare),
        p99MsVedFull: median(par.map(([vaar]) => vaar.p99Ms)),
        p99MsVed70Prosent: median(par.map(([, , rolig]) => rolig.p99Ms)),
      };
    }
  }
  return svar;
}

async function bulk(api: Maal, { avtaler, runder }: { avtaler: number; runder: number }): Promise<unknown> {
  const enkelt: number[] = [];
  const samlet: number[] = [];
  for (let n = 0; n < runder; n++) {
    enkelt.push((await last(api, 'tiltaksstatus', { forbindelser: 32, avtaler })).perSekund);
    samlet.push((await last(api, 'tiltaksstatus', { forbindelser: 8, avtaler, personer: 1_000 })).perSekund * 1_000);
  }
  const ganger: Runder = forhold(samlet, enkelt);
  return { avtaler, personerPerSekundEnkeltvis: median(enkelt), personerPerSekundSamlet: median(samlet), ganger };
}

/** Until the first load is done, nothing is answered. */
export async function ventPaaSvar({ url, hoder }: Maal): Promise<void> {
  const sok = { method: 'POST', headers: hoder, body: '{"antall":1}' };
  await ventTil(() => fetch(`${url}${OPERASJONER.sok}`, sok).then(({ ok }) => ok), { hva: 'the first load' });
}

/** @throws when any answer is not a success */
async function last(
  { url, hoder }: Maal,
  operasjon: keyof typeof OPERASJONER,
  {
    forbindelser,
    avtaler,
    sekunder = SEKUNDER,
    personer = 1,
  }: { forbindelser: number; avtaler: number; sekunder?: number; personer?: number },
): Promise<Last> {
  const requests = lagForesporsler(operasjon, { avtaler, personer }).map((f) => ({
    method: 'POST' as const,
    headers: hoder,
    ...f,
  }));
  const resultat = await autocannon({
    url,
    connections: forbindelser,
    duration: sekunder,
    requests,
  });
  if (resultat.non2xx + resultat.errors + resultat.timeouts > 0) {
    throw new Error(
      `${operasjon}: ${String(resultat.non2xx)} refused, ${String(resultat.errors)} failed, ${String(resultat.timeouts)} timed out`,
    );
  }
  return { perSekund: resultat.requests.total / resultat.duration, p99Ms: resultat.latency.p99 };
}

/** Two hundred look-ups, of persons all over the table. */
export function lagForesporsler(
  operasjon: keyof typeof OPERASJONER,
  { avtaler, personer = 1 }: { avtaler: number; personer?: number },
): { path: string; body: string }[] {
  return Array.from({ length: 200 }, (_, n) => ({
    path: OPERASJONER[operasjon],
    body: JSON.stringify({
      personidenter: Array.from({ length: personer }, (__, i) =>
        syntetiskFnr((n * 7_919 + i * 31) % Math.floor(avtaler / 3)),
      ),
      ...(operasjon === 'tiltaksstatus' ? { dato: DATO } : {}),
    }),
  }));
}

/** Three avtaler a person, straight into the table: how they got there does not matter to a look-up. */
export async function fyll(url: string, avtaler: number): Promise<void> {
  await medKlient(url, async (db) => {
    const personer = Array.from({ length: Math.floor(avtaler / 3) }, (_, n) => syntetiskFnr(n));
    await db.query(
      `insert into avtale (avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, bedrift_navn, tiltakstype, versjon,
         avtale_status, avtale_inngaatt, start_dato, slutt_dato, stillingprosent, godkjent_paa_vegne_av,
         godkjent_paa_vegne_av_arbeidsgiver, opprettet_tidspunkt, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
       select gen_random_uuid(), n * 3 + i, fnr, gen_random_uuid(), (910000000 + n / 20)::text, 'BEDRIFT AS', 'ARBEIDSTRENING', 1,
         'GJENNOMFØRES', now(), date '2025-12-01' + i * 30, date '2026-06-01' + i * 30, 100, false, false, now(), false,
         now() - n * interval '1 second', 0, 0
       from unnest($1::text[]) with ordinality as p(fnr, n), generate_series(0, 2) as i`,
      [personer],
    );
    await db.query('vacuum analyze avtale');
  });
}

/** That the answer is the right one, before its speed is measured. */
async function kontroller({ url, hoder }: Maal): Promise<void> {
  const kall = async (sti: string, body: unknown): Promise<unknown> =>
    (await fetch(url + sti, { method: 'POST', headers: hoder, body: JSON.stringify(body) })).json();
  const personidenter = [syntetiskFnr(1)];
  const status = (await kall(OPERASJONER.tiltaksstatus, { personidenter, dato: DATO })) as {
    personer: { antall: number }[];
  };
  const funnet = (await kall(OPERASJONER.sok, { personidenter })) as { avtaler: unknown[] };
  const antall = status.personer[0]?.antall ?? 0;
  if (antall < 3 || funnet.avtaler.length !== antall) throw new Error('The look-ups do not answer as they should');
}
