import { Body, Controller, Get, HttpCode, Module, Param, Post, type DynamicModule } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsOptional, IsString, ValidateNested } from 'class-validator';
import { startHttp, type Http, type Httpvalg } from '../http/http.ts';
import { kontekst, type Kontekst } from '../kontekst.ts';
import { AUDIENCE, ISSUER, startUtsteder, type Utsteder } from './utsteder.ts';

class Periode {
  @IsString()
  fra: string;
}

export class Sok {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(3)
  @IsString({ each: true })
  navn?: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Periode)
  periode?: Periode;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Periode)
  perioder?: Periode[];
}

/** What a request to `/api/tregt` waits for. */
export class Sluse {
  private slippLos: () => void;
  private komFram: () => void;
  readonly aapen = new Promise<void>((los) => (this.slippLos = los));
  readonly naadd = new Promise<void>((fram) => (this.komFram = fram));

  async vent(): Promise<void> {
    this.komFram();
    await this.aapen;
  }

  aapne(): void {
    this.slippLos();
  }
}

export const IDENT_I_FEIL = '1'.repeat(11);

@Controller()
class Prove {
  constructor(private readonly sluse: Sluse) {}

  @Get('api/ting/:id')
  ting(@Param('id') id: string): { id: string; kontekst: Kontekst | undefined } {
    return { id, kontekst: kontekst() };
  }

  @Post('api/sok')
  @HttpCode(200)
  sok(@Body() sok: Sok): { sok: Sok; kontekst: Kontekst | undefined } {
    return { sok, kontekst: kontekst() };
  }

  @Get('api/kast')
  kast(): never {
    throw new Error(`no such person: ${IDENT_I_FEIL}`);
  }

  @Get('api/tregt')
  async tregt(): Promise<{ ferdig: boolean }> {
    await this.sluse.vent();
    return { ferdig: true };
  }

  @Get('apent/side')
  apent(): { apent: boolean } {
    return { apent: true };
  }
}

@Module({})
class ProveModule {
  static med(sluse: Sluse): DynamicModule {
    return { module: ProveModule, controllers: [Prove], providers: [{ provide: Sluse, useValue: sluse }] };
  }
}

export interface ProveApp {
  url: string;
  sluse: Sluse;
  utsteder: Utsteder;
  /** a request with a valid token, unless `init` brings its own */
  kall: (sti: string, init?: RequestInit) => Promise<Response>;
  /** of the app only, which may be called early */
  stoppHttp: Http['stopp'];
  stopp: () => Promise<void>;
}

/** An app of this library, listening, with an issuer of its own. */
export async function startProveApp(
  valg: Partial<Httpvalg> & { ventetidMs?: number; port?: number } = {},
): Promise<ProveApp> {
  const { ventetidMs = 0, port = 0, ...resten } = valg;
  const utsteder = await startUtsteder();
  const sluse = new Sluse();
  const http = await startHttp({
    modul: ProveModule.med(sluse),
    konfig: {
      ORGANISASJON: 'prove',
      HOST: '127.0.0.1',
      PORT: port,
      LOG_LEVEL: 'info',
      NEDSTENGING_VENTETID_MS: ventetidMs,
      AZURE_APP_CLIENT_ID: AUDIENCE,
      AZURE_OPENID_CONFIG_ISSUER: ISSUER,
      AZURE_OPENID_CONFIG_JWKS_URI: utsteder.jwksUri,
    },
    apneRuter: ['/apent/*'],
    klarhet: {},
    ...resten,
  }).catch(async (feil: unknown) => {
    await utsteder.stopp();
    throw feil;
  });
  const url = await http.app.getUrl();
  const token = await utsteder.token();
  let stoppet: Promise<void> | undefined;
  const stoppHttp = (): Promise<void> => (stoppet ??= http.stopp());
  return {
    url,
    sluse,
    utsteder,
    kall: (sti, { headers, ...init } = {}) =>
      fetch(url + sti, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...(headers as Record<string, string>) },
      }),
    stoppHttp,
    stopp: async () => {
      sluse.aapne();
      await stoppHttp();
      await utsteder.stopp();
    },
  };
}
