import { setTimeout as wait } from 'node:timers/promises';
import { LOCKS, waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { ConcurrentChangeError } from '../ingest/try-again.ts';
import type { Writer } from '../ingest/writer.ts';
import type { RawMessage } from '../kafka/batch.ts';
import { batch, ID, message, startTestIngest, TOPIC, type TestIngest } from '../testing/test-ingest.ts';

let setup: TestIngest;

beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());

const PARTITIONS = [0, 1, 2];
const id = (n: number): string => ID.slice(0, -2) + String(10 + n);

async function empty(): Promise<void> {
  await setup.empty();
  await setup.owner.query(`insert into konsum_offset select $1, p, 0 from unnest($2::int[]) p on conflict do nothing`, [
    TOPIC,
    PARTITIONS,
  ]);
}

interface Event {
  avtale: number;
  kind: 'AVTALE' | 'SLETTEMERKET' | 'GRAVSTEIN';
  felter: Record<string, unknown>;
}

const date = fc.integer({ min: 1, max: 9 }).map((n) => `2026-01-0${String(n)}`);
const event: fc.Arbitrary<Event> = fc.record({
  avtale: fc.nat(11),
  kind: fc.constantFrom('AVTALE', 'AVTALE', 'AVTALE', 'AVTALE', 'AVTALE', 'SLETTEMERKET', 'GRAVSTEIN'),
  felter: fc.record({
    sistEndret: fc.nat(30).map((n) => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`),
    deltakerFnr: fc.constantFrom('1', '1', '2', null),
    bedriftNr: fc.constantFrom('910825518', '910825518', '910712330', ''),
    tiltakstype: fc.constantFrom('MENTOR', 'VTAO', 'VTAO', null),
    avtaleStatus: fc.constantFrom('PÅBEGYNT', 'GJENNOMFØRES', 'AVSLUTTET', 'ANNULLERT', 'AVBRUTT'),
    startDato: fc.option(date, { freq: 8 }),
    sluttDato: fc.option(date, { freq: 4 }),
    feilregistrert: fc.constantFrom(false, false, false, true),
    annullertTidspunkt: fc.constantFrom(null, null, null, '2026-01-02T00:00:00Z'),
  }),
});
/** With duplicates: the source sends one save several times, and old ones again. */
const history = fc
  .array(fc.tuple(event, fc.nat(2)), { minLength: 5, maxLength: 60 })
  .map((list) => [...list.map(([h]) => h), ...list.flatMap(([h, times]) => Array<Event>(times).fill(h))]);

/** An avtale lives on one partition; its messages are numbered there. */
function distribute(events: readonly Event[]): RawMessage[][] {
  return PARTITIONS.map((partition) =>
    events
      .filter(({ avtale }) => avtale % PARTITIONS.length === partition)
      .map(({ avtale, kind, felter: fields }, offset) => {
        const raw = message(offset, { ...fields, avtaleId: id(avtale), slettemerket: kind === 'SLETTEMERKET' });
        return kind === 'GRAVSTEIN' ? { ...raw, value: null } : raw;
      }),
  );
}

/** As the consumer does: goes on where it is told to, and tries again when another was first. */
async function read(who: Writer, partition: number, messages: readonly RawMessage[], step: number): Promise<void> {
  for (let from = 0; from < messages.length;) {
    const part = { ...batch(messages.slice(from, from + step), from), partition, endOffset: messages.length };
    try {
      ({ nextOffset: from } = await ingestBatch(who, part));
    } catch (error) {
      if (!(error instanceof ConcurrentChangeError)) throw error;
      await wait(1);
    }
  }
}

interface Row {
  id: string;
  fnr: string | null;
  bedrift: string | null;
  type: string | null;
  status: string | null;
  start: string | null;
  end: string | null;
  visible: boolean;
  annullert: boolean;
}

const readAvtaler = (): Promise<Row[]> =>
  setup.owner.query(`
    select avtale_id as id, deltaker_fnr as fnr, bedrift_nr as bedrift, tiltakstype as type, avtale_status as status,
      start_dato::text as start, slutt_dato::text as "end", slettet is null and not feilregistrert as visible,
      annullert_tidspunkt is not null as annullert
    from avtale`);

const readRelations = async (): Promise<string[]> => {
  const rows = await setup.owner.query<{ content: string }[]>(
    `select fra || ' ' || relasjon || ' ' || til as content from relasjon`,
  );
  return rows.map(({ content: row }) => row).sort();
};

/** What the relations must be, said as in the documents and found by trying every pair. */
function oracle(avtaler: readonly Row[]): string[] {
  const participating = avtaler.filter(
    (a) =>
      a.visible &&
      a.fnr !== null &&
      a.start !== null &&
      !a.annullert &&
      !['ANNULLERT', 'AVBRUTT'].includes(a.status ?? ''),
  );
  const days = ({ start, end }: Row): number[] =>
    Array.from({ length: 31 }, (_, n) => n + 1).filter((day) => {
      const d = `2026-01-${String(day).padStart(2, '0')}`;
      return d >= (start ?? '') && (end === null || d <= end);
    });
  const position = (a: Row): string => `${String(a.start)} ${a.end ?? '9999'} ${a.id}`;
  const response: string[] = [];
  for (const a of participating) {
    const series = participating.filter(
      (b) => b.fnr === a.fnr && a.bedrift && b.bedrift === a.bedrift && a.type && b.type === a.type,
    );
    const after = series.filter((b) => position(b) > position(a)).sort((b, c) => (position(b) < position(c) ? -1 : 1));
    if (after[0]) response.push(`${a.id} neste ${after[0].id}`, `${after[0].id} forrige ${a.id}`);
    for (const b of participating) {
      if (a.id === b.id || a.fnr !== b.fnr || !days(a).some((day) => days(b).includes(day))) continue;
      response.push(`${a.id} samtidige ${b.id}`);
      if (a.type === 'MENTOR' && b.type !== 'MENTOR' && a.bedrift && a.bedrift === b.bedrift) {
        response.push(`${a.id} mentorFor ${b.id}`, `${b.id} mentor ${a.id}`);
      }
    }
  }
  return response.sort();
}

test('two ingestors on three partitions at once: the relations are those of the avtaler, and the feed ends right', async () => {
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 2 }),
      async (h, [a = 1, b = 1]) => {
        await empty();
        const partitions = distribute(h);
        await Promise.all(
          partitions.flatMap((messages, partition) => [
            read(setup.writer, partition, messages, a),
            read(setup.otherWriter, partition, messages, b),
          ]),
        );
        const avtaler = await readAvtaler();
        expect(await readRelations()).toEqual(oracle(avtaler));

        const last = await setup.owner.query<{ avtale_id: string; type: string }[]>(
          'select distinct on (avtale_id) avtale_id, type from endring order by avtale_id, tx desc, lopenr desc',
        );
        const told = new Map(last.map((row) => [row.avtale_id, row.type]));
        for (const { id: avtaleId, visible } of avtaler) {
          expect(told.get(avtaleId) ?? 'SLETTET').toBe(visible ? 'ENDRET' : 'SLETTET');
        }
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

test('an avtale that is linked to while it is being deleted is deleted, for those who read the feed too', async () => {
  await empty();
  const fields = { deltakerFnr: '1', startDato: '2026-01-01' };
  const { ingest, writer, otherWriter, pool, owner } = setup;
  await ingest(batch([message(0, { ...fields, avtaleId: id(0) })]));
  const holder = await pool.connect();
  await holder.query('begin');
  await holder.query('select from avtale for update');
  // Begins first, and is held up before it has said what became of the avtale.
  const deletion = read(writer, 0, [message(0, {}), { ...message(1, { avtaleId: id(0) }), value: null }], 2);
  await waitUntil(
    async () => {
      const [row] = await owner.query<{ n: number }[]>(`select count(*)::int as n from ${LOCKS} where not granted`);
      return row?.n;
    },
    { what: 'the deletion to be held up' },
  );
  await read(otherWriter, 1, [message(0, { ...fields, avtaleId: id(1) })], 1);
  expect(await readRelations()).toHaveLength(2);
  await holder.query('commit');
  holder.release();
  await deletion;
  expect(await readRelations()).toEqual([]);
  const told = await owner.query<{ type: string }[]>(
    'select type from endring where avtale_id = $1 order by tx, lopenr',
    [id(0)],
  );
  expect(told.map(({ type }) => type)).toEqual(['ENDRET', 'ENDRET', 'SLETTET']);
});

test('each change of a link is told of, once, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.integer({ min: 1, max: 5 }), async (h, step) => {
      await empty();
      const messages = distribute(h)[0] ?? [];
      for (let from = 0; from < messages.length; from += step) {
        const before = new Set(await readRelations());
        await setup.owner.query('truncate endring');
        const { folds } = await setup.ingest(batch(messages.slice(from, from + step), from));
        const now = new Set(await readRelations());
        const different = [...before, ...now]
          .filter((r) => before.has(r) !== now.has(r))
          .map((relation) => relation.split(' ')[0] ?? '');
        const own = folds.filter(({ changes }) => changes.length > 0).map(({ avtaleId }) => avtaleId);
        const told = await setup.owner.query<{ avtale_id: string }[]>('select avtale_id from endring');
        const others = told.map((row) => row.avtale_id).filter((avtaleId) => !own.includes(avtaleId));
        expect(others.sort()).toEqual([...new Set(different)].filter((avtaleId) => !own.includes(avtaleId)).sort());
      }
    }),
    { numRuns: 25 },
  );
}, 120_000);
