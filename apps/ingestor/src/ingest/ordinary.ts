import { randomUUID } from 'node:crypto';
import type { RawMessage } from '../kafka/batch.ts';

/**
 * Messages that nobody could refuse, of two avtaler that nobody has heard of and that one participant has at the same
 * time; to be played one list after the other. They touch what the messages of the stream touch: a new avtale, a change, a
 * deletion, versions, relations and the change feed.
 */
export function ordinaryMessages(): RawMessage[][] {
  const [kept, deleted] = [randomUUID(), randomUUID()];
  const deltakerFnr = randomUUID();
  const message = (offset: number, avtaleId: string, sistEndret: string): RawMessage => ({
    offset,
    key: Buffer.from(avtaleId),
    value: Buffer.from(JSON.stringify({ ...ORDINARY, avtaleId, deltakerFnr, sistEndret })),
  });
  const [first, second] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];
  return [
    [message(0, kept, first), message(1, deleted, first)],
    [message(2, kept, second), { offset: 3, key: Buffer.from(deleted), value: null }],
  ];
}

const ORDINARY = {
  bedriftNr: '999999999',
  bedriftNavn: 'Eksempelbedriften AS',
  tiltakstype: 'ARBEIDSTRENING',
  avtaleStatus: 'GJENNOMFØRES',
  avtaleInngått: '2026-01-01T12:00:00',
  startDato: '2026-01-01',
  sluttDato: '2026-06-30',
  stillingprosent: 50,
};
