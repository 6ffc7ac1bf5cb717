type Avtale = { avtaleId: string };
type Headers = Record<string, string>;

/** A call that was answered, but not with what was asked for. */
class AnsweredError extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`Answered ${String(status)}`);
    this.status = status;
  }
}

/** A consumer that keeps a copy as docs/konsumenter.md tells it to: everything once, then what changes. */
export class FeedCopy {
  readonly avtaler = new Map<string, Avtale>();
  /** how often it was told to begin again (410) */
  restarts = 0;
  private position = '';
  private readonly headers: Headers;

  private constructor(headers: Headers) {
    this.headers = headers;
  }

  static async fromExport(url: string, headers: Headers): Promise<FeedCopy> {
    const copy = new FeedCopy(headers);
    await copy.takeExport(url);
    return copy;
  }

  /**
   * One page. A call that fails is made again from the same position.
   *
   * @returns how many changes it had
   */
  async follow(url: string, waitSeconds: number): Promise<number> {
    const path = `/api/v1/endringer?antall=500&etter=${this.position}&ventSekunder=${String(waitSeconds)}`;
    const response = await this.get(url + path).catch(async (error: unknown) => {
      if (!(error instanceof AnsweredError) || error.status !== 410) throw error;
      await this.takeExport(url);
      this.restarts++;
      return undefined;
    });
    if (!response) return 1;
    const page = (await response.json()) as { endringer: { avtaleId: string; type: string }[]; posisjon: string };
    const changed = new Map(page.endringer.map(({ avtaleId, type }) => [avtaleId, type]));
    const exists = [...changed].flatMap(([avtaleId, type]) => (type === 'SLETTET' ? [] : [avtaleId]));
    const wasRead = exists.length > 0 ? await this.read(url, exists) : [];
    // What is not among the answers is not to be seen any more.
    for (const avtaleId of changed.keys()) this.avtaler.delete(avtaleId);
    for (const avtale of wasRead) this.avtaler.set(avtale.avtaleId, avtale);
    this.position = page.posisjon;
    return page.endringer.length;
  }

  /** In the order of avtaleId, as the API has them. */
  sorted(): Avtale[] {
    return [...this.avtaler.values()].sort((a, b) => (a.avtaleId < b.avtaleId ? -1 : 1));
  }

  /** @throws when it was cut off, with the copy as it was */
  private async takeExport(url: string): Promise<void> {
    const text = await (await this.get(`${url}/api/v1/eksport`)).text();
    const [header, ...lines] = text.trimEnd().split('\n');
    const { posisjon: position, antall: count } = JSON.parse(header ?? '') as { posisjon: string; antall: number };
    if (lines.length !== count) throw new Error(`An export of ${String(count)} avtaler had ${String(lines.length)}`);
    this.position = position;
    this.avtaler.clear();
    for (const line of lines) {
      const avtale = JSON.parse(line) as Avtale;
      this.avtaler.set(avtale.avtaleId, avtale);
    }
  }

  private async read(url: string, avtaleIder: string[]): Promise<Avtale[]> {
    const body = JSON.stringify({ avtaleIder, antall: 1_000 });
    const response = await this.get(`${url}/api/v1/avtaler/sok`, { method: 'POST', body });
    return ((await response.json()) as { avtaler: Avtale[] }).avtaler;
  }

  private async get(url: string, options: RequestInit = {}): Promise<Response> {
    // Long-poll and a database that is away may take this long, and no longer.
    const response = await fetch(url, { ...options, headers: this.headers, signal: AbortSignal.timeout(40_000) });
    if (response.status === 200) return response;
    throw new AnsweredError(response.status);
  }
}

/** Everything that the API answers with now, in the order of avtaleId. */
export async function readAll(url: string, headers: Headers): Promise<Avtale[]> {
  const avtaler: Avtale[] = [];
  let next: string | undefined;
  do {
    const body = JSON.stringify({ antall: 1_000, neste: next });
    const response = await fetch(`${url}/api/v1/avtaler/sok`, { method: 'POST', headers, body });
    if (response.status !== 200) throw new AnsweredError(response.status);
    const page = (await response.json()) as { avtaler: Avtale[]; neste?: string };
    avtaler.push(...page.avtaler);
    next = page.neste;
  } while (next !== undefined);
  return avtaler;
}
