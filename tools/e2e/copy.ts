import {
  createQueryApiClient,
  readChanges,
  StartAgainError,
  type QueryApiClient,
  type Schemas,
} from '@navikt/tiltak-datadeling-klient';

type Avtale = Schemas['Avtale'];

/** Where a copy asks now: processes come and go. */
export interface Asked {
  /** of the app with the feed */
  url: string;
  /** of another app, which is asked what the avtaler say */
  lookupsUrl?: string;
  headers: Record<string, string>;
}

/** A consumer that keeps a copy as docs/konsumenter.md tells it to: everything once, then what changes. */
export class Copy {
  readonly avtaler = new Map<string, Avtale>();
  /** how often it had to read everything anew */
  startedAgain = 0;
  private position = '';

  static async fromExport(asked: Asked): Promise<Copy> {
    const copy = new Copy();
    await copy.start(asked);
    return copy;
  }

  /**
   * One page. A call that fails is made again from the same position.
   *
   * @returns how many avtaler it told of
   */
  async follow(asked: Asked, waitSeconds: number): Promise<number> {
    try {
      const lookups = clientOf({ ...asked, url: asked.lookupsUrl ?? asked.url });
      const page = await readChanges(clientOf(asked), { after: this.position, waitSeconds, lookups });
      for (const avtaleId of page.gone) this.avtaler.delete(avtaleId);
      for (const avtale of page.avtaler) this.avtaler.set(avtale.avtaleId, avtale);
      this.position = page.position;
      return page.gone.length + page.avtaler.length;
    } catch (error) {
      if (!(error instanceof StartAgainError)) throw error;
      this.startedAgain++;
      await this.start(asked);
      return this.avtaler.size;
    }
  }

  /** Until nothing more comes; then everything is held against what the API says. */
  async expectToBeWhatIsServed(asked: Asked): Promise<void> {
    while ((await this.follow(asked, 0)) > 0);
    const served = await readAll(asked);
    expect(this.sorted()).toEqual(served);
  }

  /** In the order of avtaleId, as the API has them. */
  sorted(): Avtale[] {
    return [...this.avtaler.values()].sort((a, b) => (a.avtaleId < b.avtaleId ? -1 : 1));
  }

  private async start({ url, headers }: Asked): Promise<void> {
    const response = await withLimit(`${url}/api/v1/eksport`, { headers });
    if (response.status !== 200) throw new Error(`The export answered ${String(response.status)}`);
    const [header = '', ...lines] = (await response.text()).trimEnd().split('\n');
    const { posisjon: position, antall: count } = JSON.parse(header) as Schemas['Eksporthode'];
    if (lines.length !== count) throw new Error('The export was cut off');
    this.avtaler.clear();
    for (const line of lines) {
      const avtale = JSON.parse(line) as Avtale;
      this.avtaler.set(avtale.avtaleId, avtale);
    }
    this.position = position;
  }
}

/** Everything that the API answers with now, in the order of avtaleId. */
export async function readAll({ url, headers }: Asked): Promise<Avtale[]> {
  const avtaler: Avtale[] = [];
  let next: string | undefined;
  do {
    const response = await withLimit(`${url}/api/v1/avtaler/sok`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ antall: 1_000, neste: next }),
    });
    if (response.status !== 200) throw new Error(`Answered ${String(response.status)}`);
    const page = (await response.json()) as { avtaler: Avtale[]; neste?: string };
    avtaler.push(...page.avtaler);
    next = page.neste;
  } while (next !== undefined);
  return avtaler;
}

function clientOf({ url, headers }: Asked): QueryApiClient {
  const bearer = headers['authorization'] ?? '';
  return createQueryApiClient({ baseUrl: url, getToken: () => bearer.replace(/^Bearer /, ''), fetch: withLimit });
}

/** Long-poll and a database that is away may take this long, and no longer. */
function withLimit(input: string | Request, options: RequestInit = {}): Promise<Response> {
  return fetch(input, { ...options, signal: AbortSignal.timeout(40_000) });
}
