import { setTimeout as vent } from 'node:timers/promises';

export interface Innslag {
  id: string;
  ressurs?: Record<string, unknown>;
}

export interface Side {
  metadata: { synkId: string; side: number; antallSider: number; antallTotalt: number };
  ressurser: Innslag[];
}

export interface Synk {
  synkId: string;
  tilstand: string;
  antallSider: number;
  mottatteSider: number;
  manglendeSider?: number[];
  skalSlettes: number | null;
}

/** What the ingestor said no to; `problem` names what is wrong, never a value. */
export class Avslag extends Error {
  readonly status: number;

  constructor(status: number, problem: string) {
    super(`${String(status)}: ${problem}`);
    this.status = status;
  }
}

const MAKS_FORSOEK = 60;

/** The adapter API as a client sees it: sends again for as long as sending again can help. */
export class AdapterApi {
  private readonly url: string;
  private readonly hentToken: () => Promise<string>;

  constructor(url: string, hentToken: () => Promise<string>) {
    this.url = url;
    this.hentToken = hentToken;
  }

  settKontrakt(kontrakt: Record<string, unknown>): Promise<unknown> {
    return this.kall('PUT', 'kontrakt', kontrakt);
  }

  async sendSide(metode: 'POST' | 'PATCH' | 'DELETE', side: Side): Promise<Synk> {
    return (await this.kall(metode, 'avtaler/synk', side)) as Synk;
  }

  async hentSynk(synkId: string): Promise<Synk> {
    return (await this.kall('GET', `synk/${synkId}`)) as Synk;
  }

  async bekreft(synkId: string): Promise<Synk> {
    return (await this.kall('POST', `synk/${synkId}/bekreft`)) as Synk;
  }

  /** @throws Avslag when the request is wrong, or when it was tried in vain for long */
  private async kall(metode: string, sti: string, innhold?: unknown): Promise<unknown> {
    const body = innhold === undefined ? null : JSON.stringify(innhold);
    for (let forsoek = 1; ; forsoek++) {
      const svar = await this.forsoek(metode, sti, body);
      const tekst = (await svar?.text().catch(() => undefined)) ?? '';
      if (svar?.ok && tekst !== '') return JSON.parse(tekst) as unknown;
      const kanHjelpe = !svar || svar.ok || svar.status === 429 || svar.status >= 500;
      if (!kanHjelpe || forsoek === MAKS_FORSOEK) throw new Avslag(svar?.status ?? 0, tekst || 'no answer');
      const sekunder = Number(svar?.headers.get('retry-after') ?? Number.NaN);
      await vent(Number.isFinite(sekunder) ? sekunder * 1_000 : Math.min(200 * 2 ** forsoek, 10_000));
    }
  }

  /** Undefined: no answer, and nobody knows whether it arrived. Sent again, it changes nothing. */
  private async forsoek(method: string, sti: string, body: string | null): Promise<Response | undefined> {
    const headers = {
      authorization: `Bearer ${await this.hentToken()}`,
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    };
    return fetch(`${this.url}/adapter/v1/${sti}`, { method, headers, body }).catch(() => undefined);
  }
}
