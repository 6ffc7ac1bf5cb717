import type { Server } from 'node:http';
import { Body, Controller, Get, HttpCode, Module, Param, Post, type DynamicModule } from '@nestjs/common';
import { Type } from 'class-transformer';
import { startTokenIssuer, type TokenIssuer } from '@tiltak/testing';
import { ArrayMaxSize, IsArray, IsOptional, IsString, ValidateNested } from 'class-validator';
import { startHttp, type Http, type HttpOptions } from '../http/http.ts';
import { currentContext, type RequestContext } from '../request-context.ts';

class Period {
  @IsString()
  fra: string;
}

export class Search {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(3)
  @IsString({ each: true })
  navn?: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Period)
  periode?: Period;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Period)
  perioder?: Period[];
}

/** What a request to `/api/tregt` waits for. */
export class Gate {
  private release: () => void;
  private arrive: () => void;
  readonly opened = new Promise<void>((done) => (this.release = done));
  readonly reached = new Promise<void>((done) => (this.arrive = done));

  async wait(): Promise<void> {
    this.arrive();
    await this.opened;
  }

  open(): void {
    this.release();
  }
}

const AUDIENCE = 'denne-tjenesten';
export const IDENT_IN_ERROR = '1'.repeat(11);

@Controller()
class Probe {
  constructor(private readonly gate: Gate) {}

  @Get('api/ting/:id')
  ting(@Param('id') id: string): { id: string; context: RequestContext | undefined } {
    return { id, context: currentContext() };
  }

  @Post('api/sok')
  @HttpCode(200)
  sok(@Body() search: Search): { sok: Search; context: RequestContext | undefined } {
    return { sok: search, context: currentContext() };
  }

  @Get('api/kast')
  kast(): never {
    throw new Error(`no such person: ${IDENT_IN_ERROR}`);
  }

  @Get('api/tregt')
  async tregt(): Promise<{ done: boolean }> {
    await this.gate.wait();
    return { done: true };
  }

  /** So many bytes of JSON. */
  @Get('api/stort/:bytes')
  stort(@Param('bytes') bytes: string): { text: string } {
    return { text: 'x'.repeat(Number(bytes)) };
  }

  @Get('apent/side')
  apent(): { open: boolean } {
    return { open: true };
  }
}

@Module({})
class ProbeModule {
  static with(gate: Gate): DynamicModule {
    return { module: ProbeModule, controllers: [Probe], providers: [{ provide: Gate, useValue: gate }] };
  }
}

export interface ProbeApp {
  url: string;
  server: Server;
  gate: Gate;
  issuer: TokenIssuer;
  /** a request with a valid token, unless `init` brings its own */
  call: (path: string, init?: RequestInit) => Promise<Response>;
  /** of the app only, which may be called early */
  stopHttp: Http['stop'];
  stop: () => Promise<void>;
}

/** An app of this library, listening, with an issuer of its own. */
export async function startProbeApp(
  options: Partial<HttpOptions> & {
    delayMs?: number;
    port?: number;
    maxSeconds?: number;
    maxStallSeconds?: number;
  } = {},
): Promise<ProbeApp> {
  const { delayMs = 0, port = 0, maxSeconds = 30, maxStallSeconds = 120, ...rest } = options;
  const issuer = await startTokenIssuer({ port: 0, audience: AUDIENCE });
  const gate = new Gate();
  const http = await startHttp({
    module: ProbeModule.with(gate),
    config: {
      ORGANISASJON: 'prove',
      HOST: '127.0.0.1',
      PORT: port,
      HTTP_MINSTE_BYTE_PER_SEKUND: 1_000,
      HTTP_FORESPORSEL_SEKUNDER: maxSeconds,
      HTTP_SVAR_STILLE_SEKUNDER: maxStallSeconds,
      LOG_LEVEL: 'info',
      NEDSTENGING_VENTETID_MS: delayMs,
      AZURE_APP_CLIENT_ID: AUDIENCE,
      AZURE_OPENID_CONFIG_ISSUER: issuer.issuer,
      AZURE_OPENID_CONFIG_JWKS_URI: issuer.jwksUri,
    },
    openRoutes: ['/apent/*'],
    readiness: {},
    ...rest,
  }).catch(async (error: unknown) => {
    await issuer.stop();
    throw error;
  });
  const url = await http.app.getUrl();
  const token = await issuer.token({ azp: 'en-klient' });
  let stopped: Promise<void> | undefined;
  const stopHttp = (): Promise<void> => (stopped ??= http.stop());
  return {
    url,
    server: http.app.getHttpServer(),
    gate,
    issuer,
    call: (path, { headers, ...init } = {}) =>
      fetch(url + path, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...(headers as Record<string, string>) },
      }),
    stopHttp,
    stop: async () => {
      gate.open();
      await stopHttp();
      await issuer.stop();
    },
  };
}
