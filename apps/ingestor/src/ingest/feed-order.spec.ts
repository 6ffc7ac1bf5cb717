import { waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import type { RawMessage } from '../kafka/batch.ts';
import { batch, ID, message, startTestIngest, TOPIC, type TestIngest } from '../testing/test-ingest.ts';
import { ingestBatch } from './ingest-batch.ts';
import type { Writer } from './writer.ts';

/**
 * The order of the feed is that of transaction ids, and a transaction may get its id long before it reads what others have
 * made of its avtaler: a process is stopped, the network is slow, a row is locked.
 */
let setup: TestIngest;

beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());
beforeEach(empty);

async function empty(): Promise<void> {
  await setup.empty();
  await setup.owner.query('insert into konsum_offset values ($1, 1, 0)', [TOPIC]);
}

const id = (n: number): string => ID.slice(0, -2) + String(10 + n);
const time = (n: number): string => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`;

/** A batch of a partition, stopped between its transaction id and its reading until it is let go. */
class StoppedWrite {
  private readonly gate = Promise.withResolvers<undefined>();
  private readonly stopped = Promise.withResolvers<undefined>();
  private readonly done: Promise<unknown>;

  constructor(writer: Writer, partition: number, messages: readonly RawMessage[]) {
    const write: Writer['write'] = (task) =>
      writer.write({
        ...task,
        select: async (db, position) => {
          this.stopped.resolve(undefined);
          await this.gate.promise;
          return task.select(db, position);
        },
      });
    const from = messages[0]?.offset ?? 0;
    this.done = ingestBatch({ write }, { ...batch([...messages], from), partition });
  }

  async begun(): Promise<this> {
    await this.stopped.promise;
    return this;
  }

  async finish(): Promise<void> {
    this.gate.resolve(undefined);
    await this.done;
  }
}

const begin = (writer: Writer, partition: number, messages: readonly RawMessage[]): Promise<StoppedWrite> =>
  new StoppedWrite(writer, partition, messages).begun();

/** A copy of what consumers see, kept as docs/konsumenter.md says, in SQL. */
class Copy {
  readonly avtaler = new Map<string, number | null>();
  private position: [tx: string, sequenceNumber: string] = ['0', '0'];

  async follow(): Promise<void> {
    const lines = await setup.owner.query<{ tx: string; lopenr: string; avtale_id: string; type: string }[]>(
      `select tx, lopenr, avtale_id, type from endring
       where (tx, lopenr) > ($1::xid8, $2::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot()) order by tx, lopenr`,
      this.position,
    );
    for (const { tx, lopenr, avtale_id: avtaleId, type } of lines) {
      this.position = [tx, lopenr];
      const visible = type === 'SLETTET' ? undefined : (await readVisible()).get(avtaleId);
      if (visible === undefined) this.avtaler.delete(avtaleId);
      else this.avtaler.set(avtaleId, visible);
    }
  }

  async followToEnd(): Promise<void> {
    // Transactions of other suites on the same server hold the feed back too, for a moment.
    await waitUntil(
      async () => {
        const [row] = await setup.owner.query<{ all: boolean }[]>(
          'select coalesce(max(tx) < pg_snapshot_xmin(pg_current_snapshot()), true) as all from endring',
        );
        return row?.all;
      },
      { what: 'the whole feed to be seen', everyMs: 5 },
    );
    await this.follow();
  }
}

async function readVisible(): Promise<Map<string, number | null>> {
  const rows = await setup.owner.query<{ id: string; nr: number | null }[]>(
    'select avtale_id as id, avtale_nr as nr from avtale_synlig',
  );
  return new Map(rows.map(({ id, nr }) => [id, nr]));
}

async function lastTold(): Promise<Map<string, string>> {
  const rows = await setup.owner.query<{ id: string; type: string }[]>(
    'select distinct on (avtale_id) avtale_id as id, type from endring order by avtale_id, tx desc, lopenr desc',
  );
  return new Map(rows.map(({ id, type }) => [id, type]));
}

async function expectCopyToBeRight(copy: Copy): Promise<void> {
  await copy.followToEnd();
  const visible = await readVisible();
  expect(copy.avtaler).toEqual(visible);
  for (const [avtaleId, type] of await lastTold()) {
    expect([avtaleId, type]).toEqual([avtaleId, visible.has(avtaleId) ? 'ENDRET' : 'SLETTET']);
  }
}

const living = message(0, { avtaleId: id(0), sistEndret: time(0), avtaleNr: 1 });
const marked = message(1, { avtaleId: id(0), sistEndret: time(1), slettemerket: true });
const wrong = message(1, { avtaleId: id(0), sistEndret: time(1), feilregistrert: true });
const revived = message(0, { avtaleId: id(0), sistEndret: time(2), avtaleNr: 2 });

test.each([
  ['is deleted, and then lives again', [living], [marked], [revived]],
  ['is wrongly registered, and then not', [living], [wrong], [revived]],
  ['lives, and then is deleted', [], [living], [{ ...marked, offset: 0 }]],
  ['lives, and then is wrongly registered', [], [living], [{ ...wrong, offset: 0 }]],
])(
  'an avtale that %s, the last by a transaction with the lower number: the feed ends as the tables',
  async (_, before, between, last) => {
    const copy = new Copy();
    if (before.length > 0) await setup.ingest(batch(before));
    await copy.followToEnd();
    const stopped = await begin(setup.otherWriter, 1, last);
    await setup.ingest(batch(between, before.length));
    await stopped.finish();
    await expectCopyToBeRight(copy);
  },
);

interface Event {
  avtale: number;
  kind: 'AVTALE' | 'FEILREGISTRERT' | 'SLETTEMERKET' | 'GRAVSTEIN';
  /** the avtale's partition when the source wrote it */
  partition: number;
}

const events = fc.array(
  fc.record<Event>({
    avtale: fc.nat(2),
    kind: fc.constantFrom('AVTALE', 'AVTALE', 'AVTALE', 'FEILREGISTRERT', 'SLETTEMERKET', 'GRAVSTEIN'),
    partition: fc.nat(1),
  }),
  { minLength: 4, maxLength: 24 },
);

function toMessages(list: readonly Event[], partition: number): RawMessage[] {
  return list
    .map((event, n) => ({ ...event, n }))
    .filter((event) => event.partition === partition)
    .map(({ avtale, kind, n }, offset) => {
      const raw = message(offset, {
        avtaleId: id(avtale),
        sistEndret: time(n),
        avtaleNr: n,
        // Of one participant, so that they are linked, and tell of each other.
        deltakerFnr: '1',
        startDato: '2026-01-01',
        slettemerket: kind === 'SLETTEMERKET',
        feilregistrert: kind === 'FEILREGISTRERT',
      });
      return kind === 'GRAVSTEIN' ? { ...raw, value: null } : raw;
    });
}

test('whatever two writers do to the same avtaler, stopped where they may be: a copy that follows the feed is the tables', async () => {
  await fc.assert(
    fc.asyncProperty(
      events,
      // Whose turn it is: to begin the next batch, or to end the one that is stopped.
      fc.array(fc.record({ who: fc.nat(1), count: fc.integer({ min: 1, max: 3 }) }), { maxLength: 40 }),
      async (list, turns) => {
        await empty();
        const copy = new Copy();
        const writers = [setup.writer, setup.otherWriter].map((writer, partition) => {
          const messages = toMessages(list, partition);
          let under: StoppedWrite | undefined;
          return {
            turn: async (count: number) => {
              if (under) await under.finish();
              const next = under ? [] : messages.splice(0, count);
              under = next.length > 0 ? await begin(writer, partition, next) : undefined;
            },
            rest: () => messages.length > 0 || under !== undefined,
          };
        });
        for (const { who, count } of turns) {
          await writers[who]?.turn(count);
          await copy.follow();
        }
        for (const writer of writers) while (writer.rest()) await writer.turn(3);
        await expectCopyToBeRight(copy);
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
