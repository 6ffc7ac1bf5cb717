import { setTimeout as wait } from 'node:timers/promises';

export type Resource = 'avtaler' | 'virksomheter';

export interface Entry {
  id: string;
  ressurs?: Record<string, unknown>;
}

export interface Page {
  metadata: { synkId: string; side: number; antallSider: number; antallTotalt: number };
  ressurser: Entry[];
}

/** Something in entries that were taken all the same. */
export interface Remark {
  slag: string;
  felt: string;
  mente: string | null;
  antall: number;
}

export interface Sync {
  synkId: string;
  tilstand: string;
  /** when its first page came */
  startet: string;
  antallSider: number;
  mottatteSider: number;
  mottatteRessurser: number;
  manglendeSider?: number[];
  skalSlettes: number | null;
  endret: number;
  uendret: number;
  foreldet: number;
  parkert: number;
  merknader: Remark[];
}

/** What the ingestor said no to; `problem` names what is wrong, never a value. */
export class RefusedError extends Error {
  readonly status: number;
  readonly problem: string;
  /** the entries of the page that it names, and what is wrong with each; none: it is something else */
  readonly entries: readonly WrongEntry[];

  constructor(status: number, problem: string, page?: Page) {
    super(`${String(status)}: ${problem}`);
    this.status = status;
    this.problem = problem;
    this.entries = page && status === 400 ? wrongEntries(problem, page) : [];
  }
}

export interface WrongEntry {
  id: string;
  /** its field, and why */
  wrong: string;
}

function wrongEntries(problem: string, { ressurser: entries }: Page): WrongEntry[] {
  const { feil: faults = [] } = JSON.parse(problem) as { feil?: { felt: string; melding: string }[] };
  return faults.flatMap(({ felt, melding }) => {
    const [, index, member = ''] = /^ressurser\[(\d+)\]\.(.*)$/.exec(felt) ?? [];
    const entry = entries[Number(index)];
    return entry ? [{ id: entry.id, wrong: `${member} ${melding}` }] : [];
  });
}

const MAX_ATTEMPTS = 60;

/** The adapter API as a client sees it: sends again for as long as sending again can help. */
export class AdapterApi {
  private readonly url: string;
  private readonly resource: Resource;
  private readonly getToken: () => Promise<string>;

  /** @param resource what it sends, as the contract names it */
  constructor(url: string, getToken: () => Promise<string>, resource: Resource = 'avtaler') {
    this.url = url;
    this.resource = resource;
    this.getToken = getToken;
  }

  settKontrakt(contract: Record<string, unknown>): Promise<unknown> {
    return this.call('PUT', 'kontrakt', contract);
  }

  /** The adapter is alive, as often as its contract promises. */
  async sendHjerteslag(): Promise<{ tilstand: string }> {
    return (await this.call('POST', 'hjerteslag')) as { tilstand: string };
  }

  async sendPage(method: 'POST' | 'PATCH' | 'DELETE', page: Page): Promise<Sync> {
    try {
      return (await this.call(method, `${this.resource}/synk`, page)) as Sync;
    } catch (error) {
      // Which of the entries it was is known here alone.
      throw error instanceof RefusedError ? new RefusedError(error.status, error.problem, page) : error;
    }
  }

  async hentSynk(syncId: string): Promise<Sync> {
    return (await this.call('GET', `synk/${syncId}`)) as Sync;
  }

  async bekreft(syncId: string): Promise<Sync> {
    return (await this.call('POST', `synk/${syncId}/bekreft`)) as Sync;
  }

  /** @throws RefusedError when the request is wrong, or when it was tried in vain for long */
  private async call(method: string, path: string, content?: unknown): Promise<unknown> {
    const body = content === undefined ? null : JSON.stringify(content);
    for (let attempt = 1; ; attempt++) {
      const response = await this.attempt(method, path, body);
      const text = (await response?.text().catch(() => undefined)) ?? '';
      if (response?.ok && text !== '') return JSON.parse(text) as unknown;
      const canHelp = !response || response.ok || response.status === 429 || response.status >= 500;
      if (!canHelp || attempt === MAX_ATTEMPTS) throw new RefusedError(response?.status ?? 0, text || 'no answer');
      const seconds = Number(response?.headers.get('retry-after') ?? Number.NaN);
      await wait(Number.isFinite(seconds) ? seconds * 1_000 : Math.min(200 * 2 ** attempt, 10_000));
    }
  }

  /** Undefined: no answer, and nobody knows whether it arrived. Sent again, it changes nothing. */
  private async attempt(method: string, path: string, body: string | null): Promise<Response | undefined> {
    const headers = {
      authorization: `Bearer ${await this.getToken()}`,
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    };
    return fetch(`${this.url}/adapter/v1/${path}`, { method, headers, body }).catch(() => undefined);
  }
}
