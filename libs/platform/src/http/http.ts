import { setTimeout as vent } from 'node:timers/promises';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { TokenVerifiserer } from '../auth.ts';
import type { entra, felles, Konfigurasjon } from '../config.ts';
import { NestLogg } from '../logg.ts';
import { Oppstartsfeil } from '../oppstartsfeil.ts';
import { lagAdapter, lesBareJson } from './adapter.ts';
import { ProblemFilter } from './feilfilter.ts';
import { leggTilHelse, type Klarhet } from './helse.ts';
import { leggTilKroker } from './kroker.ts';
import { noterSvar } from './svarlogg.ts';
import { valideringPipe } from './validering.ts';

export interface Httpvalg {
  modul: DynamicModule;
  konfig: Konfigurasjon<typeof felles & typeof entra>;
  /** Paths that need no token, exact or `/prefix/*`; health and metrics are always open. Everything else needs one. */
  apneRuter: string[];
  klarhet: Klarhet;
  /** in which a request must have come whole, 30 unless told */
  maksSekunder?: number;
  /** before the routes are made */
  konfigurer?: (app: NestFastifyApplication) => void | Promise<void>;
}

export interface Http {
  app: NestFastifyApplication;
  /** Tells that it is no longer ready, answers what is under way, and closes. */
  stopp: () => Promise<void>;
}

/**
 * Starts HTTP with what every process has: access check, problem+json, call id, access log, metrics, health.
 * @throws Oppstartsfeil when the port is taken
 */
export async function startHttp(valg: Httpvalg): Promise<Http> {
  const { konfig, apneRuter, klarhet } = valg;
  const adapter = lagAdapter(valg);
  const server = adapter.getInstance() as unknown as FastifyInstance;
  const tilstand = { stenger: false };
  const verifiserer = new TokenVerifiserer({
    issuer: konfig.AZURE_OPENID_CONFIG_ISSUER,
    audience: konfig.AZURE_APP_CLIENT_ID,
    jwksUri: konfig.AZURE_OPENID_CONFIG_JWKS_URI,
  });
  leggTilKroker(server, { verifiserer, apneRuter, tilstand });
  noterSvar(server);
  leggTilHelse(server, klarhet, tilstand);

  const app = await NestFactory.create<NestFastifyApplication>(valg.modul, adapter, {
    logger: new NestLogg(),
    abortOnError: false,
    // Nest would add a parser of forms.
    bodyParser: false,
  });
  lesBareJson(server);
  app.useGlobalPipes(valideringPipe());
  app.useGlobalFilters(new ProblemFilter());
  await valg.konfigurer?.(app);
  await lytt(app, konfig);
  return {
    app,
    stopp: async () => {
      tilstand.stenger = true;
      await vent(konfig.NEDSTENGING_VENTETID_MS);
      await steng(app);
    },
  };
}

async function lytt(app: NestFastifyApplication, { PORT, HOST }: Httpvalg['konfig']): Promise<void> {
  try {
    await app.listen(PORT, HOST);
  } catch (feil) {
    if ((feil as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw feil;
    throw new Oppstartsfeil(`PORT ${String(PORT)} on ${HOST} is taken by another process`);
  }
}

/** A connection whose request was under way when the server began to close is idle afterwards, and would hold it open. */
async function steng(app: NestFastifyApplication): Promise<void> {
  const rydding = setInterval(() => app.getHttpServer().closeIdleConnections(), 100);
  try {
    await app.close();
  } finally {
    clearInterval(rydding);
  }
}
