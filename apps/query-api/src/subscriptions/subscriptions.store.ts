import { setTimeout as wait } from 'node:timers/promises';
import { CODE_VALUES, type AvtaleField, type Tiltakstype } from '@tiltak/avtale';
import type { DeltakerId } from '@tiltak/database';
import { logger, PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool } from 'pg';
import { FILTER_FIELDS, type AvtaleFilter } from '../avtaler/avtaler.filter.ts';
import type { SubscriptionName } from './subscription-feed.queries.ts';

/** What a subscription is of: an avtale that is of any of them. */
export type Members = Pick<AvtaleFilter, 'personidenter' | 'avtaleIder' | 'bedriftsnumre'> & {
  tiltakstyper?: Tiltakstype[] | undefined;
  /** units: their avtaler, and those of all that is below them, at whatever level, also of what comes there later */
  hovedenheter?: string[] | undefined;
};

export interface StoredSubscription {
  id: string;
  created: string;
  changed: string;
  used: string;
  /** members by their kind, without those that others brought */
  counts: Partial<Record<MemberKind, number>>;
}

type MemberKind = 'P' | 'A' | 'B' | 'T' | 'H';

const KIND_OF: Readonly<Record<keyof Members, MemberKind>> = {
  personidenter: 'P',
  avtaleIder: 'A',
  bedriftsnumre: 'B',
  tiltakstyper: 'T',
  hovedenheter: 'H',
};

/** A member tells as much as a search by it. */
const FILTER_OF: Readonly<Record<MemberKind, keyof AvtaleFilter>> = {
  P: 'personidenter',
  A: 'avtaleIder',
  B: 'bedriftsnumre',
  T: 'tiltakstyper',
  H: 'hovedenhet',
};

/** The fields that tell what an avtale is matched by. */
export function fieldsOfMembers(kinds: readonly string[]): AvtaleField[] {
  return kinds.flatMap((kind) => FILTER_FIELDS[FILTER_OF[kind as MemberKind]]);
}

/** The kinds that there are any of. */
export function kindsOf(members: Members): MemberKind[] {
  return (Object.keys(KIND_OF) as (keyof Members)[]).flatMap((name) => (members[name] ? KIND_OF[name] : []));
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

/** SQLSTATE of `lagre_abonnement`: it is not as it was when it was compared. */
const CHANGED_MEANWHILE = 'TD013';
/** How often it is compared anew. */
const MAX_COMPARISONS = 10;
/** Members in one transaction. Persons stand still meanwhile, and so does whoever writes once somebody waits to change them. */
const PORTION = 2_000;

interface WrittenRow {
  abonnement_id: string;
  ny_utgave: string;
}

/** What is to be written of a subscription, by keys of members. */
interface Keys {
  add: readonly string[];
  remove: readonly string[];
}

/** Subscriptions as they are stored, always at the primary. Persons go no further than this: their opaque ids are kept. */
export class SubscriptionStore {
  private readonly toldOf = new Map<string, number>();
  /** the end of the last write of a consumer, while there is one */
  private readonly turns = new Map<string, Promise<undefined>>();

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
    private readonly asUnavailable: (error: unknown) => unknown,
  ) {}

  /**
   * Makes it what is said, or changes it; idempotent. Up to some thousand members in one transaction; more of them one
   * portion after the other, where one that was broken off may be sent again.
   *
   * @returns undefined when there is none, and none is to be made
   * @throws Problem 409 when it would have too many members, or the consumer too many of them
   */
  async write(
    name: SubscriptionName,
    { add, remove, replaces }: { add: Members; remove: Members; replaces: boolean },
  ): Promise<{ id: string } | undefined> {
    const [added, removed] = [this.keysOf(add), this.keysOf(remove)];
    const kept = new Set(added);
    try {
      return await this.inTurn(name.konsument, () =>
        replaces
          ? this.replace(name, added)
          : // What is in both is a member after it, as it was before.
            this.writePortions(name, { add: added, remove: removed.filter((key) => !kept.has(key)) }),
      );
    } catch (error) {
      throw tooMany(error) ?? this.asUnavailable(error);
    }
  }

  /** One at a time of each consumer, so that none has all the connections. */
  private async inTurn<T>(konsument: string, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(konsument);
    const { promise: turn, resolve: end } = Promise.withResolvers<undefined>();
    this.turns.set(konsument, turn);
    try {
      await before;
      return await work();
    } finally {
      end(undefined);
      if (this.turns.get(konsument) === turn) this.turns.delete(konsument);
    }
  }

  /** Only what differs is written, and it is compared again when another process has changed it meanwhile. */
  private async replace(name: SubscriptionName, keys: readonly string[]): Promise<{ id: string } | undefined> {
    if (keys.length > MAX_MEMBERS) throw tooManyMembers();
    for (let n = 0; n < MAX_COMPARISONS; n++) {
      const { known, ...difference } = await this.compare(name, keys);
      try {
        return await this.writePortions(name, difference, known);
      } catch (error) {
        if ((error as { code?: string }).code !== CHANGED_MEANWHILE) throw error;
      }
    }
    throw new Problem(PROBLEMS.UTILGJENGELIG, 'Others change the abonnement at the same time', { retryAfter: 5 });
  }

  /** Without any lock, in one snapshot. */
  private async compare(
    { konsument, behandlingsgrunnlag, navn }: SubscriptionName,
    keys: readonly string[],
  ): Promise<Keys & { known: string }> {
    const { rows } = await this.pool.query<{ known: string; key: string | null; isNew: boolean }>(DIFFERENCE, [
      ...[konsument, behandlingsgrunnlag, navn],
      keys,
    ]);
    const add: string[] = [];
    const remove: string[] = [];
    for (const { key, isNew } of rows) if (key !== null) (isNew ? add : remove).push(key);
    return { known: rows[0]?.known ?? '0', add, remove };
  }

  /**
   * Removals first: it never has more members than it may have.
   *
   * @param known the edition that it is to replace, and then each its own; what is not given makes none, and replaces any
   */
  private async writePortions(
    name: SubscriptionName,
    { add, remove }: Keys,
    known?: string,
  ): Promise<{ id: string } | undefined> {
    const count = remove.length + add.length;
    let edition = known;
    let written: WrittenRow | undefined;
    for (let from = 0; from === 0 || from < count; from += PORTION) {
      const to = from + PORTION;
      const added = add.slice(Math.max(0, from - remove.length), Math.max(0, to - remove.length));
      written = await this.writePortion(name, { add: added, remove: remove.slice(from, to) }, edition);
      if (!written) return undefined;
      if (known !== undefined) edition = written.ny_utgave;
    }
    return written && { id: written.abonnement_id };
  }

  private async writePortion(
    { konsument, behandlingsgrunnlag, navn }: SubscriptionName,
    { add, remove }: Keys,
    edition: string | undefined,
  ): Promise<WrittenRow | undefined> {
    const write = (): Promise<{ rows: WrittenRow[] }> =>
      this.pool.query<WrittenRow>({
        name: 'lagre_abonnement',
        text: 'select abonnement_id, ny_utgave from lagre_abonnement($1, $2, $3, $4, $5, $6, $7)',
        values: [konsument, behandlingsgrunnlag, navn, edition !== undefined, edition, add, remove],
      });
    const { rows } = await write().catch(async (error: unknown) => {
      if ((error as { code?: string }).code !== NOT_FOLLOWED) throw error;
      await this.follow();
      return write();
    });
    return rows[0];
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
    const { rows } = await this.inTurn(konsument, () =>
      this.query<{ antall: number }>(text, [konsument, behandlingsgrunnlag, navn]),
    );
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

  private keysOf({
    personidenter = [],
    avtaleIder = [],
    bedriftsnumre = [],
    tiltakstyper = [],
    hovedenheter = [],
  }: Members): string[] {
    const keys = [
      ...personidenter.map((ident) => `P${this.deltakerId(ident)}`),
      ...avtaleIder.map((id) => `A${id.toLowerCase()}`),
      ...bedriftsnumre.map((number) => `B${number}`),
      ...tiltakstyper.map((kind) => `T${CODE_VALUES.tiltakstype.toSource(kind)}`),
      ...hovedenheter.map((number) => `H${number}`),
    ];
    return [...new Set(keys)];
  }
}

/** What makes it of these and no others: each key that is to come in, or to go out. One row without a key when nothing is. */
const DIFFERENCE = `
  with denne as (select id, utgave from abonnement where konsument = $1 and behandlingsgrunnlag = $2 and navn = $3),
    har as (
      select case when m.ident is null then m.noekkel else 'P' || m.ident end as n
      from denne join abonnement_medlem m on m.abonnement = denne.id and m.fjernet is null and m.hovedenhet is null),
    skal as (select n from unnest($4::text[]) n)
  select coalesce((select utgave from denne), 0)::text as known, ulik.key, ulik."isNew"
  from (select) en left join (
    select coalesce(skal.n, har.n) as key, har.n is null as "isNew" from skal full join har on har.n = skal.n
    where skal.n is null or har.n is null) ulik on true`;

const READ = `
  select a.id, a.opprettet::text as created, a.endret::text as changed, a.sist_brukt::text as used,
    coalesce((select jsonb_object_agg(slag, antall) from (
      select left(noekkel, 1) as slag, count(*) as antall from abonnement_medlem m
      where m.abonnement = a.id and m.fjernet is null and m.hovedenhet is null group by 1) telt), '{}') as counts
  from abonnement a where a.konsument = $1 and a.behandlingsgrunnlag = $2 and a.navn = $3`;

const busy = (): Problem =>
  new Problem(PROBLEMS.UTILGJENGELIG, 'Avtaler are being written all the time', { retryAfter: 5 });

function tooMany(error: unknown): Problem | undefined {
  const { code } = error as { code?: string };
  if (code === 'TD010') {
    const detail = `A consumer can have ${String(MAX_SUBSCRIPTIONS)} abonnementer; delete some that are not used`;
    return new Problem(PROBLEMS.KONFLIKT, detail);
  }
  return code === 'TD011' ? tooManyMembers() : undefined;
}

function tooManyMembers(): Problem {
  const detail = `An abonnement can have ${MAX_MEMBERS.toString()} members, with all establishments below its hovedenheter, and 600000 with those that were taken out of it within the age of the change feed`;
  return new Problem(PROBLEMS.KONFLIKT, detail);
}
