import { GRANTABLE_FIELDS, type AvtaleField } from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Grant } from '../access/grant.ts';
import { jsonMapper, toRfc3339 } from '../avtaler/avtaler.fields.ts';
import type { UtdragDto } from '../avtaler/avtaler.dto.ts';
import { DELETE_REASONS, type EndringDto, type EndringssideDto } from '../changes/changes.dto.ts';
import type { Lookups, Run } from '../lookups/lookups.ts';
import { inPieces, pieces, type Answer } from '../shared/in-pieces.ts';
import { feedQuery, nowQuery, type FeedRow, type SubscriptionName, type ToldRow } from './subscription-feed.queries.ts';
import {
  afterTransaction,
  decodePlace,
  encodePlace,
  goneFromSubscription,
  noSuchSubscription,
  parsePlace,
  placeNow,
  type SubscriptionEpoch,
  type SubscriptionPlace,
} from './subscription-place.ts';
import type { HiddenKeys } from './hidden-keys.ts';
import type { SubscriptionWatch } from './subscription-watch.ts';
import { fieldsOfMembers, type SubscriptionStore } from './subscriptions.store.ts';

/** Statements of one request that find nothing, one after the other, while there is more to look at. */
const MAX_EMPTY = 10;

export interface FeedQuestion {
  navn: string;
  after: string | undefined;
  fromNow: boolean;
  count: number;
  waitSeconds: number;
}

interface Found {
  rows: ToldRow[];
  position: string;
  from: string;
  /** there may be more right away */
  more: boolean;
  /** the first transaction that has not been looked at */
  horizon: bigint;
  id: string;
}

/** The part of the change feed that is a subscription's, with what the avtaler say. */
export class SubscriptionFeed {
  constructor(
    readonly lookups: Lookups,
    private readonly watch: SubscriptionWatch,
    readonly store: SubscriptionStore,
    readonly hiddenKeys: HiddenKeys,
  ) {}

  /** @throws Problem 404 when there is no such subscription, 403 when its members are of a field that is not granted, 410 */
  answer(grant: Grant, question: FeedQuestion, closed: AbortSignal): Promise<Answer<EndringssideDto>> {
    const fields = GRANTABLE_FIELDS.filter((field) => grant.fields.has(field));
    return this.lookups.answerSteps(
      grant,
      { fields, isNarrowed: true },
      async (run) => {
        const found = await this.find(new Reading(run, grant, fields, question, this), closed);
        const deltakerIds = [...new Set(found.rows.flatMap((row) => row.concerned_deltaker ?? []))];
        const subset = { abonnement: question.navn, etter: found.from };
        return { found, disclosure: { hits: found.rows.length, deltakerIds, subset, position: found.position } };
      },
      ({ rows, position, more }) => {
        const toDto = toChange(fields);
        return inPieces<EndringssideDto>({ endringer: pieces(rows, toDto), posisjon: position, flere: more });
      },
    );
  }

  private async find(reading: Reading, closed: AbortSignal): Promise<Found> {
    const { grant, question } = reading;
    const until = performance.now() + question.waitSeconds * 1_000;
    let found = await reading.first();
    this.store.used(found.id);
    for (;;) {
      const isEnough = found.rows.length > 0 || found.more || question.fromNow || performance.now() >= until;
      if (isEnough || closed.aborted) return found;
      const { konsument } = grant;
      const isWoken = await this.watch.wait({ konsument, id: found.id, from: found.horizon, until, closed });
      if (closed.aborted) return found;
      grant.moment.startOver();
      const { from } = found;
      found = { ...(await reading.after(found.position)), from };
      if (!isWoken) return found;
    }
  }
}

/** The statements of one request. */
class Reading {
  private readonly name: SubscriptionName;

  constructor(
    private readonly run: Run,
    readonly grant: Grant,
    private readonly fields: readonly AvtaleField[],
    readonly question: FeedQuestion,
    private readonly parts: Pick<SubscriptionFeed, 'lookups' | 'store' | 'hiddenKeys'>,
  ) {
    const { konsument, behandlingsgrunnlag } = grant;
    this.name = { konsument, behandlingsgrunnlag, navn: question.navn };
  }

  async first(): Promise<Found> {
    const { after, fromNow } = this.question;
    if (after !== undefined) return this.after(after);
    const [row] = await this.run(nowQuery(this.name));
    const { epoch, horizon } = await this.stateOf(row);
    const now = row && placeNow(row, epoch.kinds);
    if (!now) throw noSuchSubscription();
    if (!fromNow) return this.after(now.start);
    return { rows: [], position: now.position, from: now.position, more: false, horizon, id: now.id };
  }

  /** What is told after it, over as many statements as it takes to find something, but not for ever. */
  async after(position: string): Promise<Found> {
    let found = await this.once(position);
    for (let n = 1; n < MAX_EMPTY && found.rows.length === 0 && found.more; n++) {
      found = { ...(await this.once(found.position)), from: position };
    }
    return found;
  }

  private async once(position: string): Promise<Found> {
    const { count, navn } = this.question;
    const given = parsePlace(position);
    const { hiddenKeys } = this.parts;
    const key = hiddenKeys.show(given.key);
    const place = { ...given, key: key ?? '' };
    const { kinds } = this.grant;
    const rows = await this.run(feedQuery({ ...this.name, place, count, fields: this.fields, kinds: kinds?.stored }));
    const [row] = rows;
    const { epoch, pruned, horizon } = await this.stateOf(row);
    if (!decodePlace(epoch, position) || key === undefined)
      throw goneFromSubscription('from another epoch of the feed', navn);
    if (place.tx + 1n < pruned) throw goneFromSubscription('too old', navn);
    const told = rows.filter((one): one is FeedRow & ToldRow => one.place_tx !== null);
    const end = endOf(told, count, place, row);
    return {
      rows: told,
      position: encodePlace(epoch, { ...end.place, key: hiddenKeys.hide(end.place.key) }),
      from: position,
      more: end.more,
      horizon,
      id: epoch.id,
    };
  }

  private async stateOf(
    row: Pick<FeedRow, 'epoke' | 'beskaaret_til' | 'horisont' | 'abonnement' | 'slag'> | undefined,
  ): Promise<{ epoch: SubscriptionEpoch; pruned: bigint; horizon: bigint }> {
    if (!row) throw new Error('The table instans is empty');
    if (row.abonnement === null) throw await this.missing();
    // What it is by may have left the grant since.
    this.parts.lookups.require(this.grant, { fields: fieldsOfMembers([...(row.slag ?? '')]) });
    const epoch = { epoch: row.epoke, id: row.abonnement, kinds: this.grant.kinds?.stored };
    return { epoch, pruned: BigInt(row.beskaaret_til), horizon: BigInt(row.horisont) };
  }

  /** A replica may not have heard of it yet. */
  private async missing(): Promise<Problem> {
    if (await this.parts.store.read(this.name)) {
      const detail = 'This replica of the database does not have the abonnement yet';
      return new Problem(PROBLEMS.UTILGJENGELIG, detail, { retryAfter: 1 });
    }
    return noSuchSubscription();
  }
}

function endOf(
  told: readonly ToldRow[],
  count: number,
  place: SubscriptionPlace,
  row: FeedRow | undefined,
): { place: SubscriptionPlace; more: boolean } {
  const { isStart } = place;
  const last = told.at(-1);
  if (last && told.length >= count) return { place: placeOf(last, isStart), more: true };
  if (row && row.limit_tx !== null) {
    const { limit_tx: tx, limit_key: key, limit_avtale: avtaleId } = row;
    return { place: { tx: BigInt(tx), key: key ?? '', avtaleId: avtaleId ?? '', isStart }, more: true };
  }
  // After the beginning come the changes since.
  if (isStart) return { place: afterTransaction(place.tx), more: true };
  const end = row?.end_tx == null ? undefined : BigInt(row.end_tx);
  return { place: end === undefined || end < place.tx ? place : afterTransaction(end), more: false };
}

function placeOf(
  { place_tx: tx, place_key: key, place_avtale: avtaleId }: ToldRow,
  isStart: boolean,
): SubscriptionPlace {
  return { tx: BigInt(tx), key, avtaleId, isStart };
}

function toChange(fields: readonly AvtaleField[]): (row: ToldRow) => EndringDto {
  const toContent = jsonMapper<UtdragDto>(fields);
  return (row) => {
    const { place_avtale: avtaleId, type, reason: reason, told_at: moment, changed: changed } = row;
    const isThere = type === 'ENDRET';
    const columns = changed === null ? undefined : new Set(changed.split(','));
    return {
      avtaleId,
      type: type as EndringDto['type'],
      ...(reason === null ? {} : { aarsak: DELETE_REASONS.find((one) => one === reason) ?? 'UKJENT' }),
      tidspunkt: toRfc3339(moment),
      ...(isThere && { endret: columns ? fields.filter((field) => columns.has(columnName(field))) : [...fields] }),
      ...(isThere && row['avtale_id'] != null && { avtale: toContent(row) }),
      _links: isThere ? { avtale: { href: `/api/v1/avtaler/${avtaleId}` } } : {},
    };
  };
}
