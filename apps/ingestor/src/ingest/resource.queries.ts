import type { Position, Resource, ResourceState } from '@tiltak/resource';
import type { Db } from '../database/db.ts';
import { BYTES_OF_DELETED } from './avtaler.queries.ts';
import { decodeMemory, encodeMemory, PLACE_COLUMNS, rowToPlace, type PlaceRow } from './place.ts';
import { columnsOf, type Column } from './resource-columns.ts';
import { ConcurrentChangeError } from './try-again.ts';

export type ColumnValue = string | number | boolean | null;

/** The content of one, in the order of the table of fields. */
export interface EncodedResource {
  columns: readonly ColumnValue[];
  fingerprint: string;
}

/** A row to write, and what it replaces. */
export interface ResourceRow {
  key: string;
  state: ResourceState;
  /** undefined when it is deleted */
  content: EncodedResource | undefined;
  /** undefined when nothing is known */
  known: ResourceState | undefined;
}

interface StateRow extends PlaceRow {
  id: string;
  endret: string | null;
  kilde_minne: string | null;
  slettet: ResourceState['deleted'];
  avtrykk: string | null;
}

const PLACE: readonly Column[] = [
  ['kilde_epoke', 'integer'],
  ['kilde_partisjon', 'integer'],
  ['kilde_offset', 'bigint'],
];
const MEMORY: readonly Column[] = [
  ['kilde_skrevet', 'bigint'],
  ['kilde_slett_foer', 'bigint'],
  ['kilde_minne', 'text'],
];
const STATE: readonly Column[] = [['slettet', 'text'], ...PLACE, ...MEMORY, ['avtrykk', 'uuid']];

/** Bytes; no key of a resource is longer. */
const LONGEST_KEY = 200;

/** The SQL of one resource: names of tables and columns come from its definition, which is code, and never from outside. */
export class ResourceQueries {
  private readonly table: string;
  private readonly key: string;
  private readonly keyType: string;
  private readonly order: string;
  private readonly content: readonly Column[];
  private readonly columns: readonly Column[];

  constructor(resource: Resource) {
    const { table, key, keyType, order, content } = columnsOf(resource);
    this.table = table;
    this.key = key;
    this.order = order;
    this.keyType = keyType;
    this.content = content;
    this.columns = [...this.content, ...STATE];
  }

  /** The key of a message that can't be used, as one that is stored; undefined when it can't be one. */
  asKey(bytes: Buffer | null): string | undefined {
    if (bytes === null || bytes.length > LONGEST_KEY) return undefined;
    const text = bytes.toString();
    if (text.includes('\0')) return undefined;
    return this.keyType === 'uuid' ? text.toLowerCase() : text;
  }

  /**
   * What is known of each, locked until the transaction ends: those that write the same wait, in the order of the keys.
   *
   * Planned each time, as all that looks rows up here: a plan from when the table was empty reads all of it, and would be
   * kept while a first load makes it large.
   */
  async lockStates(db: Db, keys: readonly string[]): Promise<Map<string, ResourceState>> {
    const { rows } = await db.query<StateRow>({
      text: `select ${this.key}::text as id, to_char(${this.order} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as endret,
               ${PLACE_COLUMNS.join(', ')}, kilde_minne, slettet, avtrykk
             from ${this.table} where ${this.key} = any($1::${this.keyType}[]) order by ${this.key} for update`,
      values: [keys],
    });
    return new Map(
      rows.map((row) => [
        row.id,
        {
          sistEndret: row.endret,
          position: rowToPlace(row),
          deleted: row.slettet,
          fingerprint: row.avtrykk,
          memory: decodeMemory(row.kilde_minne),
        },
      ]),
    );
  }

  /**
   * Makes rows say what these do; those that are known must be locked.
   *
   * @throws ConcurrentChangeError when another has made one of the new ones meanwhile: read again
   */
  async write(db: Db, rows: readonly ResourceRow[]): Promise<void> {
    const fresh = rows.filter(({ known }) => !known);
    const changed = rows.filter(({ known, state }) => known && !isAsBefore(state, known));
    const same = rows.filter(({ known, state }) => known && isAsBefore(state, known));
    try {
      await this.insert(
        db,
        this.table,
        this.columns,
        fresh.map((row) => this.rowOf(row)),
      );
    } catch (error) {
      const { code, constraint } = error as { code?: unknown; constraint?: unknown };
      if (code === '23505' && constraint === `${this.table}_pkey`) throw new ConcurrentChangeError();
      throw error;
    }
    await this.rewrite(db, changed);
    await this.movePlace(db, same);
  }

  /** All columns of rows that are locked, whatever is known of them. */
  async rewrite(db: Db, rows: readonly ResourceRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { from, values } = unnested(
      this.columns,
      rows.map((row) => this.rowOf(row)),
    );
    const { table, key } = this;
    await db.query({
      text: `update ${table} set ${this.columns.map(([column]) => `${column} = inn.${column}`).join(', ')},
               mottatt = case when ${table}.avtrykk is distinct from inn.avtrykk then now() else ${table}.mottatt end
             from ${from} where ${table}.${key} = inn.${key}`,
      values,
    });
  }

  /** Of rows that are locked, those that say something else than these do, places aside. */
  async readDeviating(db: Db, rows: readonly ResourceRow[]): Promise<Set<string>> {
    if (rows.length === 0) return new Set();
    const { from, values } = unnested(
      this.columns,
      rows.map((row) => this.rowOf(row)),
    );
    const { table, key } = this;
    const compared = [...this.content.map(([column]) => column), 'slettet', 'avtrykk'];
    const { rows: found } = await db.query<{ id: string }>({
      text: `select ${table}.${key}::text as id from ${from} join ${table} using (${key})
             where (${compared.map((column) => `${table}.${column}`).join(', ')})
               is distinct from (${compared.map((column) => `inn.${column}`).join(', ')})`,
      values,
    });
    return new Set(found.map(({ id }) => id));
  }

  /** What they say is learned now, also when it is what they were taken to say before. */
  async noteLearned(db: Db, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const { table, key, keyType } = this;
    await db.query(`update ${table} set mottatt = now() where ${key} = any($1::${keyType}[])`, [keys]);
  }

  /** Of what has been said once more, as in every full sync: no column of an index is named. */
  private async movePlace(db: Db, rows: readonly ResourceRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { table, key, keyType } = this;
    const columns = [[key, keyType] as const, ...PLACE, ...MEMORY];
    const { from, values } = unnested(
      columns,
      rows.map((row) => [row.key, ...placeOf(row.state)]),
    );
    await db.query({
      text: `update ${table} set ${columns
        .slice(1)
        .map(([column]) => `${column} = inn.${column}`)
        .join(', ')} from ${from} where ${table}.${key} = inn.${key}`,
      values,
    });
  }

  private rowOf({ key, state, content }: ResourceRow): ColumnValue[] {
    const { deleted, fingerprint, sistEndret } = state;
    const left: Record<string, ColumnValue> = { [this.key]: key, [this.order]: sistEndret };
    const columns = content?.columns ?? this.content.map(([column]) => left[column] ?? null);
    return [...columns, deleted, ...placeOf(state), fingerprint];
  }

  private async insert(
    db: Db,
    into: string,
    columns: readonly Column[],
    rows: readonly (readonly ColumnValue[])[],
  ): Promise<void> {
    if (rows.length === 0) return;
    const { from, values } = unnested(columns, rows);
    const names = columns.map(([column]) => column).join(', ');
    await db.query({ name: `nye_${into}`, text: `insert into ${into} (${names}) select * from ${from}`, values });
  }

  /** Of those of which no message won, what must be remembered of these all the same. */
  async writeMemory(db: Db, remembered: readonly { key: string; state: ResourceState }[]): Promise<void> {
    if (remembered.length === 0) return;
    await db.query({
      text: `update ${this.table} set kilde_minne = inn.minne, ${this.order} = inn.endret
             from unnest($1::text[], $2::text[], $3::timestamptz[]) as inn(id, minne, endret)
             where ${this.table}.${this.key} = inn.id::${this.keyType}`,
      values: [
        remembered.map(({ key }) => key),
        remembered.map(({ state }) => encodeMemory(state.memory)),
        remembered.map(({ state }) => state.sistEndret),
      ],
    });
  }

  async deleteHistory(db: Db, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await db.query(`delete from ${this.table}_versjon where ${this.key} = any($1::${this.keyType}[])`, [keys]);
  }

  async insertVersions(db: Db, versions: readonly { content: EncodedResource; position: Position }[]): Promise<void> {
    const rows = versions.map(({ content, position }) => [
      ...content.columns,
      ...[position.epoch, position.partition, position.offset],
    ]);
    await this.insert(db, `${this.table}_versjon`, [...this.content, ...PLACE], rows);
  }

  async insertChanges(db: Db, changes: readonly { key: string; type: 'ENDRET' | 'SLETTET' }[]): Promise<void> {
    const columns: Column[] = [
      [this.key, this.keyType],
      ['type', 'text'],
      ['aarsak', 'text'],
    ];
    const rows = changes.map(({ key, type }) => [key, type, type === 'SLETTET' ? type : null]);
    await this.insert(db, `${this.table}_endring`, columns, rows);
  }

  /** Of parked messages of these keys that lie before what deleted them the bytes go too. */
  async deleteParkedBytes(
    db: Db,
    topic: string,
    deletions: readonly { key: string; position: Position }[],
  ): Promise<void> {
    if (deletions.length === 0) return;
    await db.query({
      text: `update parkert_melding p set ${BYTES_OF_DELETED}
             from unnest($2::text[], $3::int[], $4::bigint[], $5::int[], $6::bigint[], $7::bigint[])
               as s(id, partisjon, kafka_offset, epoke, skrevet, slett_foer)
             where p.topic = $1 and p.innhold_fjernet is null and p.nokkel = convert_to(s.id, 'UTF8')
               and er_foer_sletting(p.epoke, p.partisjon, p.kafka_offset, p.skrevet,
                 s.epoke, s.partisjon, s.kafka_offset, s.skrevet, s.slett_foer)`,
      values: [
        topic,
        deletions.map(({ key }) => key),
        deletions.map(({ position }) => position.partition),
        deletions.map(({ position }) => position.offset),
        deletions.map(({ position }) => position.epoch),
        deletions.map(({ position }) => position.writtenAt ?? null),
        deletions.map(({ position }) => position.deletesBefore ?? null),
      ],
    });
  }
}

/** Of the same content; its place and what is remembered may be others. */
function isAsBefore(state: ResourceState, known: ResourceState): boolean {
  return state.deleted === null && known.deleted === null && state.fingerprint === known.fingerprint;
}

/** As `PLACE` and `MEMORY`. */
function placeOf({ position, memory }: ResourceState): ColumnValue[] {
  const { epoch, partition, offset, writtenAt = null, deletesBefore = null } = position;
  return [epoch, partition, offset, writtenAt, deletesBefore, encodeMemory(memory)];
}

/** Rows as a table `inn` of a statement, whatever their number: a parameter for each column. */
function unnested(
  columns: readonly Column[],
  rows: readonly (readonly ColumnValue[])[],
): { from: string; values: unknown[] } {
  const params = columns.map(([, type], n) => `$${String(n + 1)}::${type}[]`);
  return {
    from: `unnest(${params.join(', ')}) as inn(${columns.map(([column]) => column).join(', ')})`,
    values: columns.map((_, n) => rows.map((row) => row[n] ?? null)),
  };
}
