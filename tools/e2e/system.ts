import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import {
  ledigPort,
  opprettTestdatabase,
  opprettTesttopic,
  ROT,
  startUtsteder,
  testmiljo,
  ventTil,
  type LokalUtsteder,
  type Plassering,
  type Testdatabase,
  type Testtopic,
} from '@tiltak/testing';
import { klientId, startIngestor, startQueryApi, ventPaaKlar, type App, type Omgivelser } from '../lokal/apper.ts';
import { lesKonsumenter } from '../lokal/token.ts';
import { forventet } from '@tiltak/simulator';

export interface Melding {
  nokkel: string | Buffer | null;
  verdi: string | Buffer | null;
}

interface Systemvalg {
  organisasjon: string;
  partisjoner: number;
  postgres: string;
  brokers: string;
  utsteder: LokalUtsteder;
}

/** The built apps as real processes, on a database and a topic of their own. */
export class System {
  private readonly apper: App[] = [];
  private readonly klare: App[] = [];
  private readonly publisert: (Melding & Plassering)[] = [];

  /** what the apps are told of where they run */
  readonly miljo: Omgivelser;
  private readonly database: Testdatabase;
  private readonly topic: Testtopic;
  private readonly utsteder: LokalUtsteder;
  private readonly egenUtsteder: boolean;
  private readonly egetTopic: boolean;

  private constructor(
    omgivelser: Omgivelser,
    database: Testdatabase,
    { topic, egen: egetTopic }: { topic: Testtopic; egen: boolean },
    { utsteder, egen }: { utsteder: LokalUtsteder; egen: boolean },
  ) {
    this.miljo = omgivelser;
    this.database = database;
    this.topic = topic;
    this.utsteder = utsteder;
    this.egenUtsteder = egen;
    this.egetTopic = egetTopic;
  }

  /**
   * Nothing is started yet but what the apps need. `postgres`, `brokers` and `utsteder`: others than those of the test run;
   * an issuer that is given is not stopped here.
   */
  static async lag({
    organisasjon = 'nav',
    partisjoner = 3,
    postgres = testmiljo().postgres,
    brokers = testmiljo().kafka,
    utsteder: felles,
  }: Partial<Systemvalg> = {}): Promise<System> {
    const [database, topic, utsteder] = await Promise.all([
      opprettTestdatabase(postgres),
      opprettTesttopic({ partisjoner, brokers }),
      felles ?? ledigPort().then((port) => startUtsteder({ port, audience: klientId(organisasjon) })),
    ]);
    const omgivelser: Omgivelser = {
      organisasjon,
      database,
      brokers,
      topic: topic.topic,
      issuer: utsteder.issuer,
      jwksUri: utsteder.jwksUri,
      deltakerIdNoekkel: 'ab'.repeat(32),
      konsumenter: join(ROT, 'tools', 'lokal', 'konsumenter.yaml'),
    };
    return new System(omgivelser, database, { topic, egen: true }, { utsteder, egen: !felles });
  }

  /** The same topic, read into an empty database from its start. Stop it before the system that it was made from. */
  async paaTomDatabase(postgres = testmiljo().postgres): Promise<System> {
    const database = await opprettTestdatabase(postgres);
    const { topic, utsteder } = this;
    return new System({ ...this.miljo, database }, database, { topic, egen: false }, { utsteder, egen: false });
  }

  /** @param port a free one, unless it takes the place of one that has ended */
  async startIngestor(ekstra: Record<string, string> = {}, port?: number): Promise<App> {
    const app = startIngestor(this.miljo, port ?? (await ledigPort()), { KAFKA_GROUP_ID: this.topic.topic, ...ekstra });
    return this.klar(app);
  }

  async startQueryApi(ekstra: Record<string, string> = {}): Promise<App> {
    const app = startQueryApi(this.miljo, await ledigPort(), ekstra);
    return this.klar(app);
  }

  private async klar(app: App): Promise<App> {
    this.apper.push(app);
    await ventPaaKlar(app);
    this.klare.push(app);
    return app;
  }

  /** Of every app that was started. */
  loggfiler(): string[] {
    return this.apper.map(({ loggfil }) => loggfil);
  }

  /** The headers of a call as a consumer of the local registry. */
  async som(navn: string): Promise<Record<string, string>> {
    const azp = lesKonsumenter().find((konsument) => konsument.navn === navn)?.azp ?? navn;
    return { authorization: `Bearer ${await this.token({ azp })}`, 'content-type': 'application/json' };
  }

  /** A token of somebody on duty. */
  tokenForVakt(): Promise<string> {
    return this.token({ azp: 'vakt', claims: { roles: ['drift'], preferred_username: 'vakt@nav.example' } });
  }

  /** A token of the organisation's adapter. */
  tokenForAdapter(): Promise<string> {
    const { organisasjon } = this.miljo;
    return this.token({ azp: 'adapter', claims: { scope: 'tiltak:adapter', organisasjon } });
  }

  /** A token for the organisation's apps. */
  token(valg: { azp: string; claims?: Record<string, unknown> }): Promise<string> {
    return this.utsteder.token({ audience: klientId(this.miljo.organisasjon), ...valg });
  }

  async publiser(meldinger: readonly Melding[]): Promise<void> {
    const plasser = await this.topic.publiser(meldinger);
    for (const [i, melding] of meldinger.entries()) {
      const plass = plasser[i];
      if (plass) this.publisert.push({ ...melding, ...plass });
    }
  }

  /** As superuser, on a connection of its own: also when the database has been away. */
  async sql<T extends pg.QueryResultRow>(sporring: string, verdier: unknown[] = []): Promise<T[]> {
    const klient = new pg.Client({ connectionString: this.database.url, connectionTimeoutMillis: 5_000 });
    klient.on('error', () => undefined);
    await klient.connect();
    try {
      return (await klient.query<T>(sporring, verdier)).rows;
    } finally {
      await klient.end();
    }
  }

  /** How many of the published messages are stored. */
  async innlest(): Promise<number> {
    const [rad] = await this.sql<{ n: string }>('select coalesce(sum(neste_offset), 0) as n from konsum_offset');
    return Number(rad?.n);
  }

  /** Waits until everything published is stored. */
  async ventPaaInnlest(maksMs = 60_000): Promise<void> {
    await ventTil(async () => (await this.innlest().catch(() => -1)) === this.publisert.length, {
      hva: 'everything published to be stored',
      maksMs,
      hverMs: 100,
    });
  }

  /** How many messages were ever written to the topic, by anyone. */
  async paaTopicet(): Promise<number> {
    const { topic, admin } = this.topic;
    return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** Waits until everything on the topic is stored, whoever wrote it. */
  async ventPaaTopicet(maksMs = 60_000): Promise<void> {
    await ventTil(async () => (await this.innlest().catch(() => -1)) === (await this.paaTopicet()), {
      hva: 'everything on the topic to be stored',
      maksMs,
      hverMs: 100,
    });
  }

  /** Of the database, as superuser. */
  get url(): string {
    return this.database.url;
  }

  /** Messages per second while `fra` to `antall` of them are stored. The time before the first is stored is not counted. */
  async maalInnlesning(antall: number, fra = 0): Promise<number> {
    const foerst = await ventTil(async () => (await this.innlest()) > fra && (await this.innlest()), {
      hva: 'the first messages',
      hverMs: 10,
    });
    const begynt = performance.now();
    await this.ventPaaInnlest(600_000);
    return (antall - foerst) / ((performance.now() - begynt) / 1_000);
  }

  /** That what is stored is as many as the contract says. */
  async kontrollerAntall(): Promise<void> {
    const { avtaler, slettet } = forventet(this.publisert);
    const [rad] = await this.sql<{ levende: number; slettet: number }>(
      'select (count(*) filter (where slettet is null))::int as levende, (count(slettet))::int as slettet from avtale',
    );
    if (rad?.levende !== avtaler.size || rad.slettet !== slettet.size)
      throw new Error('What is stored is not what was published');
  }

  /** That everything published is stored, beside whatever else there is. */
  async kontrollerPublisert(): Promise<void> {
    const ider = [...forventet(this.publisert).avtaler.keys()];
    const [rad] = await this.sql<{ antall: number }>(
      'select count(*)::int as antall from avtale where avtale_id = any($1) and slettet is null',
      [ider],
    );
    if (rad?.antall !== ider.length) throw new Error('Not everything that was published is stored');
  }

  /** What is stored, in the form of `fasit`. */
  async tilstand(): Promise<Tilstand> {
    const rader = await this.sql<Record<string, unknown> & { avtaleId: string; slettet: string | null }>(LES_AVTALER);
    const levende = rader.filter(({ slettet }) => slettet === null).map(({ slettet: _, ...avtale }) => avtale);
    const parkert = await this.sql<Tilstand['parkert'][number]>(
      'select partisjon, kafka_offset::int as "offset", felt from parkert_melding order by 1, 2',
    );
    return {
      avtaler: levende,
      slettet: rader.filter(({ slettet }) => slettet !== null).map(({ avtaleId }) => avtaleId),
      parkert,
    };
  }

  /** What must be stored, computed from the source contract and from nothing of the ingestor's code. */
  fasit(): Tilstand {
    const { avtaler, slettet, parkert } = forventet(this.publisert);
    const etterId = <T extends { avtaleId: string }>(a: T, b: T): number => (a.avtaleId < b.avtaleId ? -1 : 1);
    return {
      avtaler: [...avtaler.values()].map((avtale) => ({ ...avtale })).sort(etterId),
      slettet: [...slettet.keys()].sort(),
      parkert: parkert
        .map(({ partisjon, offset, felt }) => ({ partisjon, offset, felt }))
        .sort((a, b) => a.partisjon - b.partisjon || a.offset - b.offset),
    };
  }

  /** @throws when an app that was ready has ended by itself, with its last line */
  async stopp(): Promise<void> {
    const doed = this.klare.find(({ prosess }) => !VENTET.includes(prosess.utfall()));
    await Promise.all(this.apper.map(({ prosess }) => prosess.stopp(10_000)));
    if (this.egenUtsteder) await this.utsteder.stopp();
    if (doed) {
      throw new Error(`${doed.navn} ended by itself, ${String(doed.prosess.utfall())}: ${sisteLinje(doed.loggfil)}`);
    }
    await Promise.all([this.egetTopic && this.topic.slett(), this.database.slett()]);
  }
}

/** As the tests end them. */
const VENTET: readonly (string | undefined)[] = [undefined, 'exit code 0', 'SIGKILL'];

const sisteLinje = (fil: string): string => readFileSync(fil, 'utf8').trimEnd().split('\n').at(-1) ?? '';

export interface Tilstand {
  avtaler: { avtaleId: string }[];
  slettet: string[];
  parkert: { partisjon: number; offset: number; felt: string | null }[];
}

const tid = (kolonne: string): string => `to_char(${kolonne} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const LES_AVTALER = `
  select avtale_id as "avtaleId", avtale_nr as "avtaleNr", deltaker_fnr as "deltakerFnr", bedrift_nr as "bedriftNr",
    bedrift_navn as "bedriftNavn", veileder_nav_ident as "veilederNavIdent", tiltakstype, versjon,
    avtale_status as "avtaleStatus", ${tid('avtale_inngaatt')} as "avtaleInngaatt", start_dato::text as "startDato",
    slutt_dato::text as "sluttDato", stillingprosent, antall_dager_per_uke as "antallDagerPerUke", stillingstype,
    ${tid('godkjent_av_deltaker')} as "godkjentAvDeltaker", ${tid('godkjent_av_arbeidsgiver')} as "godkjentAvArbeidsgiver",
    ${tid('godkjent_av_veileder')} as "godkjentAvVeileder", ${tid('godkjent_av_beslutter')} as "godkjentAvBeslutter",
    godkjent_av_nav_ident as "godkjentAvNavIdent", godkjent_av_beslutter_nav_ident as "godkjentAvBeslutterNavIdent",
    godkjent_paa_vegne_av as "godkjentPaaVegneAv", godkjent_paa_vegne_av_arbeidsgiver as "godkjentPaaVegneAvArbeidsgiver",
    opphav, ${tid('opprettet_tidspunkt')} as "opprettetTidspunkt", ${tid('annullert_tidspunkt')} as "annullertTidspunkt",
    feilregistrert, ${tid('sist_endret')} as "sistEndret", slettet
  from avtale order by avtale_id`;
