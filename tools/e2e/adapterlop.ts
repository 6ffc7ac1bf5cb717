import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ventTil } from '@tiltak/testing';
import { AdapterApi, Avslag, type Innslag, type Side, type Synk } from '../adapter/api.ts';
import { INGESTOR, type App } from '../lokal/apper.ts';
import { Adapterdata, blandet } from './adapterdata.ts';
import type { System } from './system.ts';

export const KONTRAKT = {
  adapterId: 'spec',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};
const MAKS_MS = 300_000;
const PARALLELT = 4;

/** One step of a random run. Numbers of avtaler are per thousand of those that the adapter holds. */
export interface Steg {
  full: 'INGEN' | 'HEL' | 'AVBRUTT' | 'OVERLAPPET';
  /** when the ingestor is killed; another takes its place at once */
  drep: 'IKKE' | 'UNDER_SIDER' | 'UNDER_SLETTING';
  nye: number;
  endres: number;
  slettes: number;
  glemmes: number;
  /** pages of the full sync */
  sider: number;
  /** whether every page is sent twice */
  gjenta: boolean;
  froe: number;
}

const promille = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.integer({ min: 1, max }));

/** Steps that the same seed gives again. */
export function lagSteg(seed: number, antall: number): Steg[] {
  const steg = fc.record<Steg>({
    full: fc.constantFrom('INGEN', 'HEL', 'HEL', 'AVBRUTT', 'OVERLAPPET'),
    drep: fc.constantFrom('IKKE', 'IKKE', 'UNDER_SIDER', 'UNDER_SLETTING'),
    nye: promille(50),
    endres: promille(300),
    slettes: promille(100),
    glemmes: promille(300),
    sider: fc.integer({ min: 2, max: 40 }),
    gjenta: fc.boolean(),
    froe: fc.nat(),
  });
  return fc.sample(steg, { seed, numRuns: antall });
}

/** An adapter that does what it is told, at random, on real processes, and knows what must come of it. */
export class Adapterlop {
  readonly data: Adapterdata;
  private readonly api: AdapterApi;

  private constructor(
    private readonly system: System,
    private app: App,
    private readonly antall: number,
    seed: number,
  ) {
    this.data = new Adapterdata(seed, antall);
    this.api = new AdapterApi(app.url, () => system.tokenForAdapter());
  }

  static async start(system: System, antall: number, seed: number): Promise<Adapterlop> {
    const lop = new Adapterlop(system, await system.startIngestor(), antall, seed);
    await lop.api.settKontrakt(KONTRAKT);
    lop.data.nye(antall);
    await lop.gjor({ ...INGENTING, full: 'HEL', sider: Math.ceil(antall / 2_000) });
    return lop;
  }

  /** Does the step, and waits until all that came of it is stored. */
  async gjor(steg: Steg): Promise<void> {
    const { data } = this;
    const eldre = steg.full === 'OVERLAPPET' ? await this.begynn(data.alt().innslag, steg) : undefined;
    data.glem(data.utvalg(steg.full === 'INGEN' ? 0 : steg.glemmes, steg.froe));
    const eldreSlutt = eldre?.resten();
    const { innslag, fullfoert } = data.alt();
    const synk = steg.full === 'INGEN' ? undefined : await this.begynn(innslag, steg);
    const slettes = data.utvalg(steg.slettes, steg.froe + 1);
    const borte = new Set(slettes);
    const endres = data.utvalg(steg.endres, steg.froe + 2).filter((id) => !borte.has(id));
    const delta = [...data.endre(endres), ...data.nye(Math.ceil((steg.nye * this.antall) / 1_000))];
    await Promise.all([
      synk?.resten(),
      eldreSlutt,
      this.send('PATCH', delta, steg),
      this.send('DELETE', data.slett(slettes), steg),
      steg.drep === 'UNDER_SIDER' && this.drepOgStart(),
    ]);
    if (synk && steg.full !== 'AVBRUTT') {
      await this.fullfoer(synk.synkId, steg.drep === 'UNDER_SLETTING');
      fullfoert();
    }
    await this.system.ventPaaTopicet(MAKS_MS);
  }

  private async drepOgStart(): Promise<void> {
    await this.app.prosess.drep();
    this.app = await this.system.startIngestor({}, Number(new URL(this.app.url).port));
  }

  private async fullfoer(synkId: string, drep: boolean): Promise<void> {
    let skalDrepes = drep;
    await ventTil(
      async () => {
        const { tilstand } = await this.api.hentSynk(synkId);
        if (tilstand === 'VENTER_PAA_BEKREFTELSE') await this.api.bekreft(synkId);
        if (skalDrepes) await this.drepOgStart();
        skalDrepes = false;
        return tilstand === 'FULLFOERT';
      },
      { hva: 'the full sync to be completed', maksMs: MAKS_MS, hverMs: 20 },
    );
  }

  private async send(metode: 'PATCH' | 'DELETE', innslag: Innslag[], steg: Steg): Promise<void> {
    if (innslag.length > 0) await (await this.begynn(innslag, steg, metode)).resten();
  }

  /** A sync begins with its first page; the rest come in any order, several at a time. */
  private async begynn(
    innslag: Innslag[],
    { full, sider, gjenta, froe }: Steg,
    metode: 'POST' | 'PATCH' | 'DELETE' = 'POST',
  ): Promise<{ synkId: string; resten: () => Promise<void> }> {
    const antallSider = Math.max(sider, Math.ceil(innslag.length / 5_000));
    const synkId = randomUUID();
    const lagSide = (side: number): Side => ({
      metadata: { synkId, side, antallSider, antallTotalt: innslag.length },
      ressurser: innslag.filter((_, i) => i % antallSider === side - 1),
    });
    const nummer = Array.from({ length: antallSider }, (_, i) => i + 1);
    const [foerste = 1, ...andre] = nummer.sort((a, b) => blandet(a, froe) - blandet(b, froe));
    const send = async (side: number): Promise<Synk | undefined> => {
      const ganger = gjenta ? [1, 2] : [1];
      const svar = await Promise.all(ganger.map(() => this.api.sendSide(metode, lagSide(side)).catch(erErstattet)));
      return svar[0];
    };
    await send(foerste);
    const koe = metode === 'POST' && full === 'AVBRUTT' ? andre.slice(1) : andre;
    const arbeider = async (): Promise<void> => {
      for (let side = koe.shift(); side !== undefined; side = koe.shift()) await send(side);
    };
    return {
      synkId,
      resten: async () => {
        await Promise.all(Array.from({ length: PARALLELT }, arbeider));
      },
    };
  }
}

const INGENTING: Steg = {
  full: 'INGEN',
  drep: 'IKKE',
  nye: 0,
  endres: 0,
  slettes: 0,
  glemmes: 0,
  sider: 1,
  gjenta: false,
  froe: 0,
};

/** What a page of the older of two overlapping syncs is told. A page of the newer one never is: it would not complete. */
function erErstattet(feil: unknown): undefined {
  if (feil instanceof Avslag && feil.status === 409 && feil.message.includes('"ERSTATTET"')) return undefined;
  throw feil;
}

/** avtaleId → avtaleNr of what is served. */
export async function lagret(system: System): Promise<Record<string, number>> {
  const rader = await system.sql<{ id: string; nr: number }>(
    'select avtale_id as id, avtale_nr as nr from avtale where slettet is null',
  );
  return Object.fromEntries(rader.map(({ id, nr }) => [id, nr]));
}

/** What is wrong with what was derived from the avtaler: links that differ from those recomputed, and the feed's last word. */
export async function avvik(system: System): Promise<string[]> {
  const siste = await system.sql<{ id: string }>(
    `select avtale_id as id from avtale a left join (
       select distinct on (avtale_id) avtale_id, type from endring order by avtale_id, tx desc, lopenr desc) e using (avtale_id)
     where coalesce(e.type, 'SLETTET') <> case when a.slettet is null then 'ENDRET' else 'SLETTET' end`,
  );
  return [...siste.map(({ id }) => `the feed's last word of ${id}`), ...(await avvikendeRelasjoner(system))];
}

/** `npm run drift -- relasjoner` on the system's database: a line for each link that differs. */
async function avvikendeRelasjoner({ miljo: { database, organisasjon } }: System): Promise<string[]> {
  const prosess = spawn(process.execPath, [INGESTOR, 'relasjoner'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'] ?? '',
      ORGANISASJON: organisasjon,
      DB_HOST: database.host,
      DB_PORT: String(database.port),
      DB_DATABASE: database.database,
      DB_USERNAME: database.ingestor.username,
      DB_PASSWORD: database.ingestor.password,
    },
  });
  const biter: Buffer[] = [];
  prosess.stdout.on('data', (bit: Buffer) => biter.push(bit));
  const [kode] = (await once(prosess, 'close')) as [number | null];
  const linjer = Buffer.concat(biter).toString().trim().split('\n');
  return kode === 0 ? [] : linjer;
}

/** Everything on the topic once more, into an empty database: what it comes to, beside what the system has. */
export async function spillAvPaaNytt(system: System): Promise<{ her: string[]; der: string[]; avvik: string[] }> {
  const tomt = await system.paaTomDatabase();
  try {
    await tomt.startIngestor({ KAFKA_GROUP_ID: `${system.miljo.topic}-${randomUUID()}` });
    await tomt.ventPaaTopicet(MAKS_MS);
    return { her: await innhold(system), der: await innhold(tomt), avvik: await avvik(tomt) };
  } finally {
    await tomt.stopp();
  }
}

const innhold = async (system: System): Promise<string[]> => {
  const avtaler = await system.tilstand();
  const relasjoner = await system.sql<{ rad: string }>('select r::text as rad from relasjon r order by 1');
  return [...avtaler.avtaler.map((avtale) => JSON.stringify(avtale)), ...relasjoner.map(({ rad }) => rad)];
};
