import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deltakerIdMed, lagDatakilde, migrer, skrivNoekkelkontroll } from '@tiltak/database';
import {
  ledigPort,
  opprettTestdatabase,
  startUtsteder,
  ventTil,
  type LokalUtsteder,
  type Testdatabase,
} from '@tiltak/testing';
import { lesKonfigurasjon } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { stringify } from 'yaml';
import { SKJEMA } from '../config.ts';
import { startQueryApi } from '../query-api.ts';

export const NOEKKEL = '0f'.repeat(32);
export const deltakerId = deltakerIdMed(NOEKKEL);

/** The consumers that every suite knows; `azp` is the name. */
const KONSUMENTER = [
  konsument('alt', { operasjoner: 'alle', felter: 'alle' }),
  konsument('smal', {
    operasjoner: ['hentTiltaksstatus'],
    felter: ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato'],
  }),
  konsument('faa-felter', {
    operasjoner: ['sokAvtaler', 'hentUtdrag', 'hentStatistikk', 'hentTiltaksstatus'],
    felter: ['avtaleId', 'tiltakstype'],
  }),
  konsument('graphql-smal', { operasjoner: ['graphql'], felter: ['avtaleId', 'tiltakstype', 'sistEndret'] }),
  {
    ...konsument('to-formal', { operasjoner: 'alle', felter: 'alle' }),
    behandlingsgrunnlag: ['B1', 'B2'].map((id) =>
      grunnlag({ id, operasjoner: id === 'B1' ? 'alle' : ['hentFerskhet'], felter: 'alle' }),
    ),
  },
  { ...konsument('graadig', { operasjoner: 'alle', felter: 'alle' }), kvote: { perSekund: 1, burst: 3 } },
];

interface Grunnlag {
  id?: string;
  operasjoner: string | string[];
  felter: string | string[];
}

function grunnlag({ id = 'B0', operasjoner, felter }: Grunnlag): Required<Grunnlag> & { lenke: string } {
  return { id, lenke: `https://behandlingskatalog.example.no/${id}`, operasjoner, felter };
}

function konsument(navn: string, valg: Grunnlag): { navn: string; azp: string; behandlingsgrunnlag: unknown[] } {
  return { navn, azp: navn, behandlingsgrunnlag: [grunnlag(valg)] };
}

export interface Svar {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a client that knows nothing gets
  body: any;
}

interface Kall {
  token?: string | null;
  som?: string;
  hoder?: Record<string, string>;
  body?: unknown;
}

export interface TestApi {
  url: string;
  database: Testdatabase;
  /** connected as the owner of the schema */
  eier: DataSource;
  utsteder: LokalUtsteder;
  /** Calls as `alt`, unless told otherwise. `token: null`: without one. */
  kall: (metode: string, sti: string, valg?: Kall) => Promise<Svar>;
  /** Puts an avtale into the table, as the ingestor would. */
  lagre: (avtale: Record<string, unknown> & { avtale_id: string }) => Promise<void>;
  /** Says that everything is included up to this moment. */
  settFerskhet: (tid: Date) => Promise<void>;
  stopp: () => Promise<void>;
}

/** The real app in this process, on a database of its own, with an issuer of its own. */
export async function startTestApi(env: Record<string, string> = {}): Promise<TestApi> {
  const database = await opprettTestdatabase();
  const eier = await lagDatakilde({
    ...database,
    ...database.migrering,
    sslmode: 'disable',
    poolSize: 2,
    applicationName: 'spec',
    statementTimeoutMs: 30_000,
    ventPaaForbindelseMs: 5_000,
  }).initialize();
  await migrer(eier);
  await skrivNoekkelkontroll(eier, deltakerId);
  const utsteder = await startUtsteder({ port: await ledigPort(), audience: 'tiltak-datadeling' });
  const katalog = mkdtempSync(join(tmpdir(), 'konsumenter-'));
  const register = join(katalog, 'konsumenter.yaml');
  writeFileSync(register, stringify(KONSUMENTER));
  const port = await ledigPort();
  const konfig = lesKonfigurasjon(SKJEMA, {
    ORGANISASJON: 'nav',
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: 'fatal',
    NEDSTENGING_VENTETID_MS: '0',
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_DATABASE: database.database,
    DB_USERNAME: database.queryApi.username,
    DB_PASSWORD: database.queryApi.password,
    DELTAKER_ID_NOEKKEL: NOEKKEL,
    KONSUMENTER_FIL: register,
    AZURE_APP_CLIENT_ID: 'tiltak-datadeling',
    AZURE_OPENID_CONFIG_ISSUER: utsteder.issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: utsteder.jwksUri,
    ...env,
  });
  const stopp = await startQueryApi(konfig);
  const url = `http://127.0.0.1:${String(port)}`;

  const api: TestApi = {
    url,
    database,
    eier,
    utsteder,
    kall: async (metode, sti, { token, som = 'alt', hoder = {}, body } = {}) => {
      const bevis = token === undefined ? await utsteder.token({ azp: som }) : token;
      const svar = await fetch(url + sti, {
        method: metode,
        headers: {
          ...(bevis === null ? {} : { authorization: `Bearer ${bevis}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...hoder,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const tekst = await svar.text();
      return {
        status: svar.status,
        headers: svar.headers,
        body: /json/.test(svar.headers.get('content-type') ?? '') ? JSON.parse(tekst) : tekst,
      };
    },
    lagre: async (avtale) => {
      const rad = {
        feilregistrert: false,
        kilde_partisjon: 0,
        kilde_offset: 0,
        sist_endret: '2026-01-01T00:00:00Z',
        ...avtale,
      };
      const ident = avtale['deltaker_fnr'];
      const verdier: Record<string, unknown> = {
        ...rad,
        ...(typeof ident === 'string' ? { deltaker_id: deltakerId(ident) } : {}),
      };
      const kolonner = Object.keys(verdier);
      await eier.query(
        `insert into avtale (${kolonner.join(', ')}) values (${kolonner.map((_, i) => `$${String(i + 1)}`).join(', ')})`,
        Object.values(verdier),
      );
    },
    settFerskhet: async (tid) => {
      await eier.query(
        `insert into konsum_status values ('t', 0, 0, $1) on conflict (topic, partisjon) do update set oppdatert_til = excluded.oppdatert_til`,
        [tid],
      );
      await ventTil(async () => (await api.kall('GET', '/api/v1/ferskhet')).body.dataOppdatert === tid.toISOString(), {
        hva: 'freshness to be seen',
      });
    },
    stopp: async () => {
      await stopp();
      await utsteder.stopp();
      await eier.destroy();
      await database.slett();
      rmSync(katalog, { recursive: true });
    },
  };
  return api;
}
