import type { SourceAvtale } from '../source/avtale.ts';
import { BEGINNING, epoch, MASS_RESENDS, END } from '../source/epochs.ts';
import type { SourceMessage } from '../source/source-message.ts';
import { Source } from '../source/source.ts';
import { Random, type Lot } from '../source/random.ts';
import { updateStatuses, cleanDrafts, sendAll, sendStale, resend } from './nightly-jobs.ts';
import { approve, revokeApprovals } from './approval.ts';
import { changeInArena, changeContent, shorten, extend } from './entered.ts';
import { annul, changeSilently, restore, changeVeileder, removeAvtale } from './any-state.ts';
import { fillInMore, create, correctDraft, sendOld } from './draft.ts';

type Action = (source: Source, avtale: SourceAvtale) => void;

const stale: Action = (source, avtale) => sendStale(source, avtale, (changed) => takeStep(source, changed));
/** Nothing more happens to it. */
const forget: Action = (source, avtale) => source.avtaler.delete(avtale);

const DRAFT: Lot<Action> = [
  [70, fillInMore],
  [6, changeSilently],
  [4, changeVeileder],
  [4, annul],
  [3, resend],
  [1, removeAvtale],
  [2, stale],
  [4, (source, avtale) => source.scheduleNext(avtale, 90, 120)], // left alone until it is annulled
];
const FOR_APPROVAL: Lot<Action> = [
  [75, approve],
  [7, correctDraft],
  [6, revokeApprovals],
  [5, changeSilently],
  [3, annul],
  [2, resend],
  [2, stale],
  [1, removeAvtale],
];
const ENTERED: Lot<Action> = [
  [30, changeContent],
  [12, extend],
  [9, shorten],
  [8, changeVeileder],
  [8, changeSilently],
  [7, annul],
  [5, resend],
  [5, stale],
  [40, (source, avtale) => source.scheduleNext(avtale, 40, 200)],
];
const ENDED: Lot<Action> = [
  [10, extend],
  [6, resend],
  [3, stale],
  [81, forget],
];
const ANNULLED: Lot<Action> = [
  [8, resend],
  [4, stale],
  [1, removeAvtale],
  [87, forget],
];
const DELETED: Lot<Action> = [
  [15, resend],
  [12, restore],
  [73, forget],
];
/** Arena goes on changing what came from there. */
const FROM_ARENA: Lot<Action> = [
  [30, changeInArena],
  [70, (source, avtale) => draw(source, avtale, avtale.content.annullertTidspunkt ? ANNULLED : ENTERED)],
];

function takeStep(source: Source, avtale: SourceAvtale): void {
  draw(source, avtale, lotFor(avtale));
}

function draw(source: Source, avtale: SourceAvtale, lot: Lot<Action>): void {
  source.random.draw(lot)?.(source, avtale);
}

function lotFor({ deleted, missing: remains, content }: SourceAvtale): Lot<Action> {
  const { annullertTidspunkt, avtaleInngått, avtaleStatus, opphav } = content;
  if (deleted) return DELETED;
  if (annullertTidspunkt) return opphav === 'ARENA' ? FROM_ARENA : ANNULLED;
  if (avtaleStatus === 'AVSLUTTET') return ENDED;
  if (avtaleInngått) return opphav === 'ARENA' ? FROM_ARENA : ENTERED;
  return remains.length > 0 ? DRAFT : FOR_APPROVAL;
}

/** Messages that an avtale comes to, of those that fall within the simulated time. */
const MESSAGES_PER_AVTALE = 13.2;
/** More than this at one time, and everything happens faster instead. */
const FULL_RATE_FROM = 100_000;

/**
 * Day by day from `BEGINNING`, without end: so many avtaler that about `count` messages take until `END`. Memory is
 * that of the avtaler that something can still happen to, some thousands.
 */
export function* lifecycle(seed: number, count: number): Generator<SourceMessage> {
  const source = new Source(new Random(seed), Math.max(1, count / FULL_RATE_FROM));
  const birthsPerDay = Math.max(0.1, count / MESSAGES_PER_AVTALE / (END - BEGINNING));
  let unborn = 1;
  for (let day = BEGINNING; ; day++, unborn += birthsPerDay) {
    source.begin(day);
    updateStatuses(source);
    cleanDrafts(source);
    yield* source.drain();
    for (const { second, do: act } of dayWork(source, Math.floor(unborn))) {
      source.setClock(second);
      act();
      yield* source.drain();
    }
    unborn %= 1;
    if (MASS_RESENDS.has(day)) yield* sendAll(source, (avtale) => takeStep(source, avtale));
  }
}

/** What is done on this day, in the order of time. */
function dayWork(source: Source, births: number): { second: number; do: () => void }[] {
  const tasks = [...source.avtaler]
    .filter(({ next }) => next <= source.day)
    .map((avtale) => () => takeStep(source, avtale));
  for (let n = 0; n < births; n++) {
    const isOld = source.day < epoch.feilregistrert && source.random.chance(0.03);
    tasks.push(() => (isOld ? sendOld : create)(source));
  }
  return tasks.map((act) => ({ second: source.workingHours(), do: act })).sort((a, b) => a.second - b.second);
}
