import { createEvents, createUpdates, expected } from '@tiltak/simulator';
import { Published } from './published.ts';

test('what may be served is what the source contract says of what had been published, message by message', () => {
  const published = new Published();
  const messages = [
    ...createEvents({ count: 400, seed: 3, poison: true }),
    ...createUpdates({ count: 150, seed: 3 }),
    ...createEvents({ count: 100, seed: 3, poison: true }),
  ];
  const places = messages.map((_, offset) => ({ partition: 0, offset }));
  for (const [at, message] of messages.entries())
    published.note([message], places.slice(at, at + 1), { sentAt: at, ackedAt: at });
  const told = messages.map((message, at) => ({ ...message, partition: 0, offset: at }));
  const ids = new Set(messages.flatMap(({ key }) => (key === null ? [] : [String(key).toLowerCase()])));
  for (const at of [0, 57, 200, 399, 460, 549, messages.length - 1]) {
    const { avtaler } = expected(told.slice(0, at + 1));
    for (const id of ids) {
      const avtale = avtaler.get(id);
      const served = avtale && !avtale.feilregistrert ? avtale : undefined;
      expect(published.objection(id, served, at, at)).toBeUndefined();
      const wrong = served ? undefined : { avtaleId: id, sistEndret: '2020-01-01T00:00:00Z' };
      expect(published.objection(id, wrong, at, at)).toContain(id);
    }
  }
});

test('an answer may be of any moment between what it promises and when it came', () => {
  const published = new Published();
  const avtaleId = '00000000-0000-4000-8000-0000000000aa';
  const seen = (day: number): { avtaleId: string; sistEndret: string } => ({
    avtaleId,
    sistEndret: `2026-01-0${String(day)}T00:00:00Z`,
  });
  for (const day of [1, 2, 3]) {
    const message = { key: avtaleId, value: JSON.stringify(seen(day)) };
    published.note([message], [{ partition: 0, offset: day }], { sentAt: day * 10, ackedAt: day * 10 + 5 });
  }
  const fits = (day: number, promised: number, answeredAt: number): boolean =>
    published.objection(avtaleId, seen(day), promised, answeredAt) === undefined;
  expect([fits(1, 15, 18), fits(1, 15, 40), fits(3, 15, 40)]).toEqual([true, true, true]);
  expect([fits(1, 25, 40), fits(3, 15, 29)]).toEqual([false, false]);
  expect(published.objection(avtaleId, undefined, 15, 40)).toContain('served nothing');
});
