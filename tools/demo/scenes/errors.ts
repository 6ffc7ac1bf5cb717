import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil, type LocalPostgres } from '@tiltak/testing';
import { Witness } from '../../e2e/witness.ts';
import type { PublishedMessage, System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { Act } from '../act.ts';
import type { Consumer } from '../consumer.ts';
import { answersOf, anyAvtale, callIngestor, events, ms, seconds } from '../helpers.ts';
import type { Scene } from '../scene.ts';

const ANNOYING_NAME = 'AVVIST AS';

/** The database is away and messages are poison; afterwards everything is as if nothing had happened. */
export const errors: Scene = {
  nr: 8,
  name: 'Errors lose nothing',
  promise:
    'With the database away and poison among the messages nothing is lost and nothing is answered wrongly; what could not be used waits, and is replayed when it has been mended.',
  play: async (act) => {
    const postgres = await act.postgres();
    const system = await act.system({ postgres: postgres.url });
    await system.publish(events(act.size(2_000, 500), 8));
    const [ingestor, queryApi] = await Promise.all([system.startIngestor(), system.startQueryApi()]);
    await system.waitForIngested();
    const watch = act.watch();
    watch.app('ingestor', 'ingestor', ingestor);
    watch.app('query-api', 'query-api', queryApi);
    const asked = { url: queryApi.url, headers: () => system.as('alt'), avtaleId: anyAvtale(system) };
    const consumer = watch.consumer('a consumer', asked);
    const witness = await Witness.start(system, queryApi.url);
    act.does('A consumer asks 50 times a second, a witness holds every answer against what was published.');
    await wait(act.size(3_000, 2_000));
    tell(act, 'before', consumer);

    const back = await databaseAway(act, { system, postgres, witness });
    tell(act, 'during', consumer);
    await system.waitForTopic();
    consumer.take();
    await wait(act.size(3_000, 2_000));
    tell(act, 'after', consumer);
    const seen = consumer.take();
    act.figure('Look-ups answered again', { after: seconds(back.lookups) });
    act.figure('New messages served again', { after: seconds(back.ingest) });
    await act.breaks('Nothing is lost', 'one avtale is taken out of the copy, by SQL.', () =>
      system.sql(
        `delete from avtale where avtale_id = (select avtale_id from avtale where slettet is null and not feilregistrert limit 1)`,
      ),
    );
    await judge(act, witness, seen.failed);
    await consumer.stop();
    await mendAndReplay(act, system, ingestor);
  },
};

function tell(act: Act, phase: 'before' | 'during' | 'after', consumer: Consumer): void {
  const seen = consumer.lately(60_000);
  const since = consumer.take();
  act.figure('Look-ups', { [phase]: answersOf(since) });
  act.figure('p99 of answers', { [phase]: ms(since.p99) });
  act.figure('Oldest data answered with', {
    [phase]: seconds(Number.isFinite(since.ageMs) ? since.ageMs : seen.ageMs),
  });
}

async function databaseAway(
  act: Act,
  { system, postgres, witness }: { system: System; postgres: LocalPostgres; witness: Witness },
): ReturnType<Witness['recovery']> {
  const poison = Array.from({ length: act.size(300, 50) }, (_, n): PublishedMessage => ({
    key: `gift-${String(n)}`,
    value: '{',
  }));
  const away = act.size(20_000, 5_000);
  const later = events(act.size(1_000, 200), 88);
  act.does(
    `Kills the database for ${seconds(away)}; publishes ${String(poison.length)} poisoned messages and ${String(later.length)} good ones meanwhile.`,
  );
  await postgres.kill();
  await system.publish([...poison, ...later]);
  await wait(away);
  act.does('Starts the database again.');
  await postgres.restart();
  return witness.recovery();
}

async function judge(act: Act, witness: Witness, failed: number): Promise<void> {
  const { answers, tables, copy } = await witness.finish({ undisturbed: false });
  const of = (wrong: readonly string[], what: string): string =>
    wrong.length === 0 ? what : `${String(wrong.length)} differ`;
  act.holds('Nothing is lost', tables.length === 0, of(tables, 'every table is what the source contract says'));
  act.holds(
    'Nothing is answered wrongly',
    answers.length === 0,
    of(answers, `${String(witness.checked)} answers held`),
  );
  act.holds('A copy kept by the feed is whole', copy.length === 0, of(copy, 'the same as what is served'));
  act.holds('Who could not be answered was told so', failed === 0, `${String(failed)} calls failed without a word`);
}

/** A message that the database refuses, for a rule that should not be there. */
async function mendAndReplay(act: Act, system: System, ingestor: App): Promise<void> {
  const token = await system.tokenForOnDuty();
  const avtaleId = randomUUID();
  await system.sql(
    `alter table avtale add constraint demo_avvist check (bedrift_navn is distinct from '${ANNOYING_NAME}') not valid`,
  );
  act.does('Publishes a message that the database refuses, for a rule that somebody put there by mistake.');
  const message = { avtaleId, sistEndret: new Date().toISOString(), avtaleNr: 1, bedriftNavn: ANNOYING_NAME };
  await system.publish([{ key: avtaleId, value: JSON.stringify(message) }]);
  type Parked = { id: string; avtaleId?: string | null };
  const find = async (): Promise<Parked | undefined> =>
    (
      await system.sql<Parked>(`select id::text as id from parkert_melding where nokkel = convert_to($1, 'UTF8')`, [
        avtaleId,
      ])
    )[0];
  const parked = await waitUntil(find, { what: 'the message to be parked', maxMs: 30_000 });
  act.does('Mends the rule, and replays the message.');
  await system.sql('alter table avtale drop constraint demo_avvist');
  const { utfall: outcome } = await callIngestor<{ utfall: string }>(
    ingestor,
    token,
    `/drift/v1/parkerte/${parked.id}/spill-av`,
    { method: 'POST' },
  );
  const stored = await system.sql('select from avtale where avtale_id = $1', [avtaleId]);
  act.holds(
    'A parked message is replayed when it is mended',
    outcome !== 'PARKERT' && stored.length === 1,
    `replayed: ${outcome}`,
  );
}
