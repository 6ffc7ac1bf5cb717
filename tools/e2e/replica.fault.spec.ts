import { createEvents } from '@tiltak/simulator';
import { waitUntil } from '@tiltak/testing';
import type { App } from '../local/apps.ts';
import { System } from './system.ts';

type Avtale = { avtaleId: string };

/** A consumer that keeps a copy as docs/konsumenter.md tells it to: everything once, then what changes. */
class Replica {
  readonly avtaler = new Map<string, Avtale>();
  private position = '';
  private readonly headers: Record<string, string>;

  private constructor(headers: Record<string, string>) {
    this.headers = headers;
  }

  static async fromExport(url: string, headers: Record<string, string>): Promise<Replica> {
    const replica = new Replica(headers);
    const text = await (await replica.get(`${url}/api/v1/eksport`)).text();
    const [header, ...lines] = text.trimEnd().split('\n');
    const { posisjon: position, antall: count } = JSON.parse(header ?? '') as { posisjon: string; antall: number };
    expect(lines).toHaveLength(count);
    replica.position = position;
    for (const line of lines) replica.seen(JSON.parse(line) as Avtale);
    return replica;
  }

  /** One page. A call that fails is made again from the same position. */
  async followers(url: string, waitSeconds: number): Promise<{ antall: number }> {
    const response = await this.get(
      `${url}/api/v1/endringer?antall=500&etter=${this.position}&ventSekunder=${String(waitSeconds)}`,
    );
    const page = (await response.json()) as { endringer: { avtaleId: string; type: string }[]; posisjon: string };
    const changed = new Map(page.endringer.map(({ avtaleId, type }) => [avtaleId, type]));
    const exists = [...changed].flatMap(([avtaleId, type]) => (type === 'SLETTET' ? [] : [avtaleId]));
    const wasRead = exists.length > 0 ? await this.read(url, exists) : [];
    // What is not among the answers is not to be seen any more.
    for (const avtaleId of changed.keys()) this.avtaler.delete(avtaleId);
    for (const avtale of wasRead) this.seen(avtale);
    this.position = page.posisjon;
    return { antall: page.endringer.length };
  }

  private async read(url: string, avtaleIder: string[]): Promise<Avtale[]> {
    const response = await this.get(`${url}/api/v1/avtaler/sok`, {
      method: 'POST',
      body: JSON.stringify({ avtaleIder, antall: 1_000 }),
    });
    return ((await response.json()) as { avtaler: Avtale[] }).avtaler;
  }

  private seen(avtale: Avtale): void {
    this.avtaler.set(avtale.avtaleId, avtale);
  }

  private async get(url: string, options: RequestInit = {}): Promise<Response> {
    const response = await fetch(url, { ...options, headers: this.headers });
    if (response.status === 200) return response;
    throw new Error(`Answered ${String(response.status)}`);
  }
}

/** Everything that the API answers with now, in the order of avtaleId. */
async function all(url: string, headers: Record<string, string>): Promise<Avtale[]> {
  const avtaler: Avtale[] = [];
  let next: string | undefined;
  do {
    const response = await fetch(`${url}/api/v1/avtaler/sok`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ antall: 1_000, neste: next }),
    });
    const page = (await response.json()) as { avtaler: Avtale[]; neste?: string };
    avtaler.push(...page.avtaler);
    next = page.neste;
  } while (next !== undefined);
  return avtaler;
}

test('a copy made from the export and the feed is what the API says, whoever is killed meanwhile', async () => {
  const system = await System.create();
  try {
    // Several seeds: the same avtaleId never comes from two.
    await system.publish([...createEvents({ count: 3_000, seed: 11 })]);
    let ingestor = await system.startIngestor();
    let api = await system.startQueryApi();
    const headers = await system.as('alt');
    await waitUntil(async () => (await fetch(`${api.url}/api/v1/avtaler/nummer/0`, { headers })).status !== 503, {
      what: 'the first load',
    });

    const source = (async () => {
      for (let part = 0; part < 6; part++) {
        await system.publish([...createEvents({ count: 1_500, seed: 20 + part })]);
        if (part === 1 || part === 3) {
          await ingestor.proc.kill();
          ingestor = await system.startIngestor();
        }
      }
      await system.waitForIngested(120_000);
    })();
    let done = false;
    const finished = source.finally(() => (done = true));

    const replica = await Replica.fromExport(api.url, headers);
    let pages = 0;
    for (;;) {
      const lastRound = done;
      if (++pages === 8) api = await restart(system, api);
      const { antall: count } = await replica.followers(api.url, lastRound ? 0 : 1);
      if (lastRound && count === 0) break;
    }
    await finished;
    const expected = await all(api.url, headers);
    expect(expected.length).toBeGreaterThan(500);
    expect([...replica.avtaler.values()].sort((a, b) => (a.avtaleId < b.avtaleId ? -1 : 1))).toEqual(expected);
    expect(await system.state()).toEqual(system.oracle());
  } finally {
    await system.stop();
  }
}, 240_000);

async function restart(system: System, api: App): Promise<App> {
  await api.proc.kill();
  const incoming = await system.startQueryApi();
  const headers = await system.as('alt');
  await waitUntil(async () => (await fetch(`${incoming.url}/api/v1/avtaler/nummer/0`, { headers })).status !== 503, {
    what: 'the new process to answer',
  });
  return incoming;
}
