import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@tiltak/testing';
import { FeedCopy, readAll } from './feed-copy.ts';
import type { Seen } from './published.ts';
import type { System } from './system.ts';

/** ms; longer than any answer that is worth waiting for, and shorter than what a test has time for */
const MAX_ANSWER_MS = 12_000;
const ASKERS = 2;
/** An answer while something is away: said plainly, and to be asked again. */
const AWAY = [429, 503];

/** ms from a moment until each was there again. */
export interface Recovery {
  lookups: number;
  /** until a message that was published after it is served */
  ingest: number;
  /** until an answer promises to hold what was published after it */
  freshness: number;
}

/** What has gone wrong, of everything that is promised; all empty when nothing has. */
export interface Verdict {
  /** answers that told what they may not, or did not tell what they promised */
  answers: string[];
  /** where the tables are not what the source contract says of what was published */
  tables: string[];
  /** where they are not what they come to when nothing happens meanwhile */
  undisturbed: string[];
  /** avtaler of which a copy that follows the feed has something else than is served */
  copy: string[];
}

export const FAULTLESS: Verdict = { answers: [], tables: [], undisturbed: [], copy: [] };

/**
 * A consumer that looks on while things fail: it asks all the time, holds every answer against what had been published at
 * its moment, and keeps a copy by the change feed. What nobody could answer is no fault; what is answered must be so.
 */
export class Witness {
  /** answers that were checked */
  checked = 0;
  /** calls that were not answered, by why */
  readonly failed = new Map<string, number>();
  private readonly answers: string[] = [];
  private readonly system: System;
  private readonly url: string;
  private readonly headers: Record<string, string>;
  private readonly copy: FeedCopy;
  private stopping = false;
  private work: Promise<unknown> = Promise.resolve();

  private constructor(system: System, url: string, headers: Record<string, string>, copy: FeedCopy) {
    this.system = system;
    this.url = url;
    this.headers = headers;
    this.copy = copy;
  }

  /** @param url one address of the query-apis, which answer already, or soon will */
  static async start(system: System, url: string): Promise<Witness> {
    const headers = await system.as('alt');
    const copy = await waitUntil(() => FeedCopy.fromExport(url, headers).catch(() => undefined), {
      what: 'the first export',
      everyMs: 200,
    });
    const witness = new Witness(system, url, headers, copy);
    const askers = Array.from({ length: ASKERS }, () => witness.askOnAndOn());
    witness.work = Promise.all([...askers, witness.followOnAndOn()]);
    return witness;
  }

  /** How often the copy was told to begin again. */
  get restarts(): number {
    return this.copy.restarts;
  }

  /** What is wrong with the answers so far. */
  objections(): readonly string[] {
    return this.answers.slice(0, 20);
  }

  /** How long each took to come back after a moment, which is now unless told otherwise. Publishes one more avtale. */
  async recovery(since = performance.now(), maxMs = 180_000): Promise<Recovery> {
    const elapsed = (): number => Math.round(performance.now() - since);
    const back = <T>(what: string, check: () => Promise<T | undefined>): Promise<number> =>
      waitUntil(() => check().catch(() => undefined), { what, maxMs, everyMs: 25 }).then(elapsed);
    const key = randomUUID();
    const publishing = this.system.publishUntilKept([probe(key)]).then(() => Date.now());
    const ask = (): Promise<Response> => this.fetch(`/api/v1/avtaler/${key}`);
    const [lookups, ingest, freshness] = await Promise.all([
      back('look-ups', async () => [200, 404].includes((await ask()).status) || undefined),
      back('ingest', async () => (await ask()).status === 200 || undefined),
      publishing.then((at) => back('Data-Oppdatert', async () => updatedTo(await ask()) >= at || undefined)),
    ]);
    return { lookups, ingest, freshness };
  }

  /** Ends, when all that was published is stored and seen, and says what has gone wrong. */
  async finish({ maxMs = 300_000, undisturbed = true } = {}): Promise<Verdict> {
    await this.system.waitForTopic(maxMs);
    this.stopping = true;
    await this.work;
    const served = await this.settled(maxMs);
    await this.system.readTopic();
    const [state, oracle] = [await this.system.state(), this.system.oracle()];
    return {
      answers: this.answers,
      tables: [
        ...difference(state.avtaler, oracle.avtaler),
        ...difference(state.slettet, oracle.slettet),
        ...difference(state.parkert, oracle.parkert),
      ],
      undisturbed: undisturbed ? await this.beside(maxMs) : [],
      copy: difference(this.copy.sorted(), served),
    };
  }

  /** All that is served, once the copy has read all that there is in the feed. */
  private async settled(maxMs: number): Promise<{ avtaleId: string }[]> {
    await waitUntil(async () => (await this.copy.follow(this.url, 0).catch(() => undefined)) === 0, {
      what: 'the copy to have read the feed',
      maxMs,
    });
    return readAll(this.url, this.headers);
  }

  /** The same topic, read into an empty database with nothing in the way. */
  private async beside(maxMs: number): Promise<string[]> {
    const calm = await this.system.onEmptyDatabase();
    try {
      await calm.startIngestor({ KAFKA_GROUP_ID: `${this.system.env.topic}-${randomUUID()}` });
      await calm.waitForTopic(maxMs);
      return difference(await contents(this.system), await contents(calm));
    } finally {
      await calm.stop();
    }
  }

  private async askOnAndOn(): Promise<void> {
    while (!this.stopping) {
      const known = this.system.history.latest(200);
      const avtaleId = known[randomInt(known.length || 1)] ?? randomUUID();
      const questions = [this.askForOne, this.askForMany, this.askByPerson];
      const question = questions[randomInt(questions.length)] ?? this.askForOne;
      await question.call(this, avtaleId).catch((error: unknown) => {
        const { name, cause } = error as Error & { cause?: { code?: string } };
        this.note(cause?.code ?? name);
      });
      await wait(30);
    }
  }

  private async followOnAndOn(): Promise<void> {
    while (!this.stopping) {
      await this.copy.follow(this.url, 1).catch(async (error: unknown) => {
        this.note(`feed: ${error instanceof Error ? error.message : String(error)}`);
        await wait(200);
      });
    }
  }

  private async askForOne(avtaleId: string): Promise<void> {
    const response = await this.fetch(`/api/v1/avtaler/${avtaleId}`);
    if (!this.answered(response, [200, 404])) return;
    const seen = response.status === 200 ? ((await response.json()) as Seen) : undefined;
    this.hold(response, [[avtaleId, seen]]);
  }

  private async askForMany(): Promise<void> {
    const avtaleIder = this.system.history.latest(20);
    const response = await this.fetch('/api/v1/avtaler/sok', { avtaleIder, antall: 1_000 });
    if (!this.answered(response, [200])) return;
    const seen = new Map(((await response.json()) as { avtaler: Seen[] }).avtaler.map((each) => [each.avtaleId, each]));
    this.hold(
      response,
      avtaleIder.map((id) => [id, seen.get(id)]),
    );
  }

  /** «No» is the answer that does harm: who has an avtale is found by their ident. */
  private async askByPerson(avtaleId: string): Promise<void> {
    const now = Date.now();
    const ident = this.system.history.personOf(avtaleId, now, now);
    if (ident === undefined) return;
    const response = await this.fetch('/api/v1/avtaler/sok', { personidenter: [ident], antall: 1_000 });
    if (!this.answered(response, [200])) return;
    const { avtaler } = (await response.json()) as { avtaler: Seen[] };
    // It may have changed hands meanwhile.
    if (this.system.history.personOf(avtaleId, updatedTo(response), Date.now()) !== ident) return;
    this.hold(response, [[avtaleId, avtaler.find((each) => each.avtaleId === avtaleId)]]);
  }

  private answered({ status }: Response, expected: number[]): boolean {
    if (expected.includes(status)) return true;
    if (AWAY.includes(status)) this.note(String(status));
    else this.answers.push(`answered ${String(status)}`);
    return false;
  }

  private hold(response: Response, seen: [string, Seen | undefined][]): void {
    const [promised, answeredAt] = [updatedTo(response), Date.now()];
    if (!(promised <= answeredAt))
      this.answers.push(`Data-Oppdatert: ${String(response.headers.get('data-oppdatert'))}`);
    for (const [avtaleId, avtale] of seen) {
      const objection = this.system.history.objection(avtaleId, avtale, promised, answeredAt);
      if (objection !== undefined) this.answers.push(objection);
    }
    this.checked++;
  }

  private note(why: string): void {
    this.failed.set(why, (this.failed.get(why) ?? 0) + 1);
  }

  private fetch(path: string, body?: object): Promise<Response> {
    return fetch(this.url + path, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: this.headers,
      signal: AbortSignal.timeout(MAX_ANSWER_MS),
    });
  }
}

const updatedTo = (response: Response): number => Date.parse(response.headers.get('data-oppdatert') ?? '');

const probe = (avtaleId: string): { key: string; value: string } => ({
  key: avtaleId,
  value: JSON.stringify({ avtaleId, sistEndret: new Date().toISOString(), avtaleNr: 1, tiltakstype: 'MENTOR' }),
});

/** Of every table that messages end in, what does not tell when or in which order it was written. */
async function contents(system: System): Promise<string[]> {
  const tables = {
    avtale: ['mottatt'],
    avtale_versjon: ['laert', 'lopenr'],
    relasjon: [],
    konsum_offset: [],
  };
  const all = Object.entries(tables).map(([table, without]) =>
    system.sql<{ line: string }>(`select (to_jsonb(t) - $1::text[])::text as line from ${table} t order by 1`, [
      without,
    ]),
  );
  return (await Promise.all(all)).flatMap((rows, i) =>
    rows.map(({ line }) => `${Object.keys(tables)[i] ?? ''} ${line}`),
  );
}

/** The first lines that only one of them has. Not as one comparison: that of thousands of lines takes minutes to print. */
function difference(actual: readonly unknown[], expected: readonly unknown[]): string[] {
  const lines = (of: readonly unknown[]): Set<string> => new Set(of.map((line) => JSON.stringify(line)));
  const [here, there] = [lines(actual), lines(expected)];
  return [
    ...[...here].filter((line) => !there.has(line)).map((line) => `is: ${line}`),
    ...[...there].filter((line) => !here.has(line)).map((line) => `should be: ${line}`),
  ].slice(0, 20);
}
