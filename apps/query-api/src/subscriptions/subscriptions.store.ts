import { setTimeout as wait } from 'node:timers/promises';
import { CODE_VALUES, type AvtaleField, type Tiltakstype } from '@tiltak/avtale';
import type { DeltakerId } from '@tiltak/database';
import { logger, PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { AvtaleFilter } from '../avtaler/avtaler.filter.ts';
import { FILTER_FIELDS } from '../avtaler/avtaler.filter.ts';
import type { SubscriptionName } from './subscription-feed.queries.ts';

/** What a subscription is of: an avtale that is of any of them. */
export type Members = Pick<AvtaleFilter, 'personidenter' | 'avtaleIder' | 'bedriftsnumre'> & {
  tiltakstyper?: Tiltakstype[] | undefined;
};

export interface StoredSubscription {
  id: string;
  created: string;
  changed: string;
  used: string;
  /** members by their kind: P, A, B, T */
  counts: Partial<Record<MemberKind, number>>;
}

type MemberKind = 'P' | 'A' | 'B' | 'T';

const FILTER_OF: Readonly<Record<MemberKind, keyof Members>> = {
  P: 'personidenter',
  A: 'avtaleIder',
  B: 'bedriftsnumre',
  T: 'tiltakstyper',
};

/** The fields that tell what an avtale is matched by. */
export function fieldsOfMembers(kinds: readonly string[]): AvtaleField[] {
  return kinds.flatMap((kind) => FILTER_FIELDS[FILTER_OF[kind as MemberKind]]);
}

export const MAX_MEMBERS = 200_000;
const MAX_SUBSCRIPTIONS = 1_000;
/** How often the database is told that a subscription is in use; it forgets those that are not after 90 days. */
const USED_MS = 60 * 60_000;

/** SQLSTATE of `lagre_abonnement`: nobody has subscribed yet. */
const NOT_FOLLOWED = 'TD012';
const LOCK_NOT_AVAILABLE = '55P03';
/** How long the first subscription waits for those that write. */
const FOLLOW_MS = 10_000;
const FOLLOW_PAUSE_MS = 100;

interface WrittenRow {
  abonnement_id: string;
  ble_laget: boolean;
}

/** Subscriptions as they are stored, always at the primary. Persons go no further than this: their opaque ids are kept. */
export class SubscriptionStore {
  private readonly toldOf = new Map<string, number>();

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
    private readonly asUnavailable: (error: unknown) => unknown,
  ) {}

  /**
   * Makes it what is said, or changes it; idempotent.
   *
   * @returns undefined when there is none, and none is to be made
   * @throws Problem 409 when it would have too many members, or the consumer too many of them
   */
  async write(
    { konsument, behandlingsgrunnlag, navn }: SubscriptionName,
    { add, remove, replaces }: { add: Members; remove: Members; replaces: boolean },
  ): Promise<{ id: string; isNew: boolean } | undefined> {
    const values = [konsument, behandlingsgrunnlag, navn, replaces, replaces, this.keysOf(add), this.keysOf(remove)];
    const write = (): Promise<{ rows: WrittenRow[] }> =>
      this.pool.query<WrittenRow>({
        name: 'lagre_abonnement',
        text: 'select abonnement_id, ble_laget from lagre_abonnement($1, $2, $3, $4, $5, $6, $7)',
        values,
      });
    try {
      const { rows } = await write().catch(async (error: unknown) => {
        if ((error as { code?: string }).code !== NOT_FOLLOWED) throw error;
        await this.follow();
        return write();
      });
      const [row] = rows;
      return row && { id: row.abonnement_id, isNew: row.ble_laget };
    } catch (error) {
      throw tooMany(error) ?? this.asUnavailable(error);
    }
  }

  /** The first subscription of all: from now on changes are written down for it. Waits for those being written. */
  private async follow(): Promise<void> {
    const until = performance.now() + FOLLOW_MS;
    for (;;) {
      try {
        await this.pool.query('select foelg_avtaler()');
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
        if (performance.now() > until) throw busy();
      }
      await wait(FOLLOW_PAUSE_MS);
    }
  }

  async read({ konsument, behandlingsgrunnlag, navn }: SubscriptionName): Promise<StoredSubscription | undefined> {
    const { rows } = await this.query<Omit<StoredSubscription, 'counts'> & { counts: StoredSubscription['counts'] }>(
      READ,
      [konsument, behandlingsgrunnlag, navn],
    );
    return rows[0];
  }

  /** @returns whether there was one */
  async remove({ konsument, behandlingsgrunnlag, navn }: SubscriptionName): Promise<boolean> {
    const text = 'select slett_abonnement($1, $2, $3) as antall';
    const { rows } = await this.query<{ antall: number }>(text, [konsument, behandlingsgrunnlag, navn]);
    return rows[0]?.antall === 1;
  }

  /** In a while: nobody waits for it. */
  used(id: string): void {
    if (performance.now() - (this.toldOf.get(id) ?? -Infinity) < USED_MS) return;
    this.toldOf.set(id, performance.now());
    this.pool.query('select bruk_abonnement($1)', [id]).catch((error: unknown) => {
      this.toldOf.delete(id);
      logger.warn({ err: error }, 'That an abonnement is in use could not be told; the next use of it does');
    });
  }

  /** Which consumers and purposes the registry has: the subscriptions of all others are removed after a while. */
  async tellKonsumenter(all: readonly { konsument: string; behandlingsgrunnlag: string }[]): Promise<void> {
    const columns = [all.map(({ konsument }) => konsument), all.map(({ behandlingsgrunnlag }) => behandlingsgrunnlag)];
    await this.pool.query('select meld_konsumenter($1, $2)', columns);
  }

  private async query<Row extends object>(text: string, values: unknown[]): Promise<{ rows: Row[] }> {
    try {
      return await this.pool.query<Row>(text, values);
    } catch (error) {
      throw this.asUnavailable(error);
    }
  }

  private keysOf({ personidenter = [], avtaleIder = [], bedriftsnumre = [], tiltakstyper = [] }: Members): string[] {
    const keys = [
      ...personidenter.map((ident) => `P${this.deltakerId(ident)}`),
      ...avtaleIder.map((id) => `A${id.toLowerCase()}`),
      ...bedriftsnumre.map((number) => `B${number}`),
      ...tiltakstyper.map((kind) => `T${CODE_VALUES.tiltakstype.toSource(kind)}`),
    ];
    return [...new Set(keys)];
  }
}

const READ = `
  select a.id, a.opprettet::text as created, a.endret::text as changed, a.sist_brukt::text as used,
    coalesce((select jsonb_object_agg(slag, antall) from (
      select left(noekkel, 1) as slag, count(*) as antall from abonnement_medlem m
      where m.abonnement = a.id and m.fjernet is null group by 1) telt), '{}') as counts
  from abonnement a where a.konsument = $1 and a.behandlingsgrunnlag = $2 and a.navn = $3`;

const busy = (): Problem =>
  new Problem(PROBLEMS.UTILGJENGELIG, 'Avtaler are being written all the time', { retryAfter: 5 });

function tooMany(error: unknown): Problem | undefined {
  const { code } = error as { code?: string };
  if (code === 'TD010') {
    const detail = `A consumer can have ${String(MAX_SUBSCRIPTIONS)} abonnementer; delete some that are not used`;
    return new Problem(PROBLEMS.KONFLIKT, detail);
  }
  if (code !== 'TD011') return undefined;
  const detail = `An abonnement can have ${MAX_MEMBERS.toString()} members, and 600000 with those that were taken out of it within the age of the change feed`;
  return new Problem(PROBLEMS.KONFLIKT, detail);
}
