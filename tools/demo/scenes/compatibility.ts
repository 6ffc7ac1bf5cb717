import { randomUUID } from 'node:crypto';
import { syntheticFnr, syntheticOrgnr, waitUntil } from '@tiltak/testing';
import { compare, messages, recorded } from '../../e2e/earlier-graphql/recorded.ts';
import type { System } from '../../e2e/system.ts';
import type { Act } from '../act.ts';
import { CountingProxy } from '../counting-proxy.ts';
import { ALWAYS_TOLD, ReleasedClient, RELEASED_VERSION, type Question } from '../released-client.ts';
import type { Scene } from '../scene.ts';

const NEW_KIND = 'KLIPPEKORT_2031';
const READABLE = `A client made from ${RELEASED_VERSION} reads every answer`;
const FNR = syntheticFnr(606_006);

/** Those who wrote their programs long ago, and those who came from the service before this one. */
export const compatibility: Scene = {
  nr: 6,
  name: 'Compatibility',
  promise: `The documents of the service before this one are answered as that service did, a client made from ${RELEASED_VERSION} reads every answer of today, and a kind of measure that nobody has heard of breaks nobody.`,
  play: async (act) => {
    // In one partition: that service was given the messages in one order.
    const system = await act.system({ partitions: 1 });
    await system.publish(messages());
    const watch = act.watch();
    watch.app('ingestor', 'ingestor', await system.startIngestor());
    const queryApi = watch.app('query-api', 'query-api', await system.startQueryApi());
    await system.waitForIngested();
    const proxy = await CountingProxy.start(queryApi.url);
    act.ending(() => proxy.stop());
    await act.breaks(
      'They are answered as that service did',
      'a gateway in front of the query-api gives a field another name.',
      () => {
        proxy.spoil = (text) => text.replaceAll('"avtaleStatus"', '"status"');
        return Promise.resolve();
      },
    );
    await act.breaks(READABLE, 'the same field is gone from the answers to that client.', () => Promise.resolve());
    await waitUntil(async () => (await fetch(`${queryApi.url}/internal/isready`)).ok, { what: 'the first load' });
    await askAsBefore(act, system, proxy);
    await askAsReleased(act, system, proxy);
    await newKind(act, system, proxy);
  },
};

async function askAsBefore(act: Act, system: System, proxy: CountingProxy): Promise<void> {
  const { authorization = '' } = await system.as('gammel');
  act.does(`Asks all ${String(recorded.length)} documents that were recorded from the service before this one.`);
  const different: string[] = [];
  for (const line of recorded) {
    const { method, path = '/graphql', headers, body } = line.request;
    const answer = await fetch(proxy.url + path, {
      method,
      headers: { ...headers, authorization },
      ...(body === null ? {} : { body }),
    });
    const { ours, expected } = compare(line, { status: answer.status, text: await answer.text() });
    if (JSON.stringify(ours) !== JSON.stringify(expected)) different.push(line.name);
  }
  const same = recorded.length - different.length;
  act.figure('Documents of the earlier service', {
    before: String(recorded.length),
    after: `${String(same)} as recorded`,
  });
  act.holds(
    'They are answered as that service did',
    different.length === 0,
    different.length === 0 ? `${String(same)} of ${String(recorded.length)}` : `${String(different.length)} differ`,
  );
}

async function askAsReleased(act: Act, system: System, proxy: CountingProxy): Promise<void> {
  const client = new ReleasedClient(proxy.url, await system.as('alt'));
  const [one] = await system.sql<{ id: string; nr: string; deltaker: string; bedrift: string }>(
    `select avtale_id as id, avtale_nr::text as nr, deltaker_id::text as deltaker, bedrift_nr as bedrift from avtale_synlig
     where deltaker_id is not null and avtale_nr is not null and bedrift_nr ~ '^\\d{9}$' limit 1`,
  );
  act.does(`A client made from the document of ${RELEASED_VERSION} asks every operation of it.`);
  const questions: Question[] = [
    { method: 'post', path: '/api/v1/personer/tiltaksstatus', body: { personidenter: [FNR] } },
    { method: 'post', path: '/api/v1/avtaler/sok', body: { antall: 500 } },
    { method: 'get', path: '/api/v1/avtaler/{avtaleId}', parameters: { avtaleId: one?.id ?? '' } },
    { method: 'get', path: '/api/v1/avtaler/{avtaleId}', parameters: { avtaleId: randomUUID() } },
    { method: 'get', path: '/api/v1/avtaler/nummer/{avtaleNr}', parameters: { avtaleNr: one?.nr ?? '' } },
    { method: 'get', path: '/api/v1/deltakere/{deltakerId}/avtaler', parameters: { deltakerId: one?.deltaker ?? '' } },
    { method: 'get', path: '/api/v1/bedrifter/{bedriftNr}/avtaler', parameters: { bedriftNr: one?.bedrift ?? '' } },
    { method: 'get', path: '/api/v1/ferskhet' },
  ];
  const unreadable: string[] = [];
  for (const question of questions) {
    const read = await client.ask(question);
    const lacking =
      'answer' in read && question.parameters?.['avtaleId'] === one?.id
        ? ALWAYS_TOLD.filter((name) => !(name in (read.answer as object)))
        : [];
    if ('unreadable' in read) unreadable.push(read.unreadable);
    else if (lacking.length > 0) unreadable.push(`${question.path}: ${lacking.join(', ')} is gone`);
  }
  act.figure(`Answers a client of ${RELEASED_VERSION} can read`, {
    during: `${String(questions.length - unreadable.length)} of ${String(questions.length)}`,
  });
  act.holds(
    READABLE,
    unreadable.length === 0,
    unreadable[0] ?? `${String(questions.length)} of ${String(questions.length)}`,
  );
}

async function newKind(act: Act, system: System, proxy: CountingProxy): Promise<void> {
  const client = new ReleasedClient(proxy.url, await system.as('alt'));
  const avtaleId = randomUUID();
  act.does(`An avtale of a kind that nobody has heard of comes: ${NEW_KIND}.`);
  const today = new Date();
  const message = {
    ...{ avtaleId, avtaleNr: 606_006, sistEndret: today.toISOString(), deltakerFnr: FNR, bedriftNr: syntheticOrgnr(6) },
    ...{ tiltakstype: NEW_KIND, avtaleStatus: 'GJENNOMFØRES', startDato: today.toISOString().slice(0, 10) },
    ...{ feilregistrert: false, slettemerket: false, etNyttFelt: { verdier: [1, 'to', null] } },
  };
  await system.publish([{ key: avtaleId, value: JSON.stringify(message) }]);
  await system.waitForIngested();
  const path = '/api/v1/avtaler/{avtaleId}';
  const one = await client.ask({ method: 'get', path, parameters: { avtaleId } });
  const search = await client.ask({ method: 'post', path: '/api/v1/avtaler/sok', body: { personidenter: [FNR] } });
  const wrong = [one, search].flatMap((read) => ('unreadable' in read ? [read.unreadable] : []));
  const seen = 'answer' in one ? (one.answer as { tiltakstype: string }).tiltakstype : '';
  const parked = (await system.state()).parkert.length - system.oracle().parkert.length;
  act.holds(
    'A new kind breaks nobody',
    wrong.length === 0 && parked === 0,
    wrong[0] ?? `read as ${seen}, and not parked`,
  );
}
