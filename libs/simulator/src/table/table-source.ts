import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createEvents } from '../events.ts';
import type { SourceMessage } from '../source/source-message.ts';

/** A row of the source's table, in the names of its columns. */
interface Row {
  avtale_id: string;
  sist_endret: string;
  felter: Record<string, unknown>;
}

/** Fields of a message that are columns; the rest of the form is one column of JSON. */
const COLUMNS = {
  avtaleNr: 'avtale_nr',
  deltakerFnr: 'deltaker_fnr',
  bedriftNr: 'bedrift_nr',
  bedriftNavn: 'bedrift_navn',
  tiltakstype: 'tiltakstype',
  avtaleStatus: 'avtale_status',
  startDato: 'start_dato',
  sluttDato: 'slutt_dato',
  slettemerket: 'slettemerket',
} as const;

/** What of an avtale may be changed through the API. */
export type ChangeableField = keyof typeof COLUMNS;
export const CHANGEABLE_FIELDS = Object.keys(COLUMNS) as ChangeableField[];
export type Change = Partial<Record<ChangeableField, unknown>>;

/**
 * The trigger is what makes the source's own list able to tell: whatever changes a row, also an update by hand, gives it a
 * later sist_endret. SQL that went around the trigger could not be found by any list of times.
 */
const SCHEMA = `
  create table if not exists avtale (
    avtale_id uuid primary key,
    avtale_nr integer,
    deltaker_fnr text,
    bedrift_nr text,
    bedrift_navn text,
    tiltakstype text,
    avtale_status text,
    start_dato date,
    slutt_dato date,
    slettemerket boolean not null default false,
    innhold jsonb not null default '{}',
    sist_endret timestamptz not null default clock_timestamp()
  );
  create or replace function sett_sist_endret() returns trigger language plpgsql as $$
    begin
      new.sist_endret := greatest(clock_timestamp(), old.sist_endret + interval '1 microsecond');
      return new;
    end $$;
  create or replace trigger sist_endret before update on avtale for each row execute function sett_sist_endret();`;

const TIME = `to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const SELECT = `
  select avtale_id, ${TIME} as sist_endret, innhold || jsonb_build_object(${Object.entries(COLUMNS)
    .map(([field, column]) => `'${field}', ${column}`)
    .join(', ')}) as felter
  from avtale`;

/** How the source sends: resolves when what it was given is kept. */
export type Send = (messages: readonly SourceMessage[]) => Promise<unknown>;

/**
 * A source with a table of its own. Through its API an avtale is changed and told of, as the source does. Whoever writes
 * straight in the table, at `url`, tells nobody: that is what reconciliation is for.
 */
export class TableSource {
  readonly url: string;
  private readonly pool: pg.Pool;
  private readonly publish: Send;

  private constructor(url: string, pool: pg.Pool, publish: Send) {
    this.url = url;
    this.pool = pool;
    this.publish = publish;
  }

  /** @param url of a database of its own; its table is made there unless it is there already */
  static async open(url: string, publish: Send): Promise<TableSource> {
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    pool.on('error', () => undefined);
    await pool.query(SCHEMA);
    return new TableSource(url, pool, publish);
  }

  /** New avtaler, and an event of each. @returns their avtaleIder */
  async register(count: number, seed = 1): Promise<string[]> {
    const contents = made(count, seed);
    const ids = contents.map(() => randomUUID());
    const columns = Object.values(COLUMNS);
    await this.pool.query(
      `insert into avtale (avtale_id, innhold, ${columns.join(', ')})
       select (j->>'avtaleId')::uuid, j->'form', r.* from jsonb_array_elements($1::jsonb) j,
         lateral (select ${columns.join(', ')} from jsonb_populate_record(null::avtale, j->'columns')) r`,
      [JSON.stringify(contents.map((content, i) => ({ avtaleId: ids[i], ...content })))],
    );
    await this.tell(ids, 'OPPRETTET');
    return ids;
  }

  /** One save through the API. @returns false when there is no such avtale */
  async change(avtaleId: string, change: Change): Promise<boolean> {
    const entries = Object.entries(change).filter(([field]) => field in COLUMNS);
    const set = entries.map(([field], i) => `${COLUMNS[field as ChangeableField]} = $${String(i + 2)}`);
    // Also a save that changes nothing is a save: it gets a later sistEndret.
    const { rowCount } = await this.pool.query(
      `update avtale set ${set.length === 0 ? 'avtale_id = avtale_id' : set.join(', ')} where avtale_id = $1`,
      [avtaleId, ...entries.map(([, value]) => value)],
    );
    if (rowCount === 0) return false;
    await this.tell([avtaleId], 'ENDRET');
    return true;
  }

  /** As the source deletes: the row stays, with a mark. @returns false when there is no such avtale */
  remove(avtaleId: string): Promise<boolean> {
    return this.change(avtaleId, { slettemerket: true });
  }

  /** Sends what the rows say now, of those named or of all. @returns how many that was */
  async resend(ids?: readonly string[]): Promise<number> {
    return this.tell(ids, 'PATCH');
  }

  /** For reconciliation: all that the table holds and that is not deleted, one JSON a line. */
  async list(): Promise<string> {
    const { rows } = await this.pool.query<Pick<Row, 'avtale_id' | 'sist_endret'>>(
      `select avtale_id, ${TIME} as sist_endret from avtale where not slettemerket order by 1`,
    );
    return rows.map((row) => `${JSON.stringify({ avtaleId: row.avtale_id, sistEndret: row.sist_endret })}\n`).join('');
  }

  /** By hand, as whoever has a login to the table: nobody is told. */
  async sql<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.pool.query<T>(text, values)).rows;
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async tell(ids: readonly string[] | undefined, hendelseType: string): Promise<number> {
    const where = ids === undefined ? '' : ' where avtale_id = any($1)';
    const { rows } = await this.pool.query<Row>(SELECT + where, ids === undefined ? [] : [ids]);
    await this.publish(rows.map((row) => toMessage(row, hendelseType)));
    return rows.length;
  }
}

function toMessage({ avtale_id: avtaleId, sist_endret: sistEndret, felter }: Row, hendelseType: string): SourceMessage {
  const performer = { utførtAv: 'System', utførtAvRolle: 'SYSTEM', forkortetGrunn: null };
  return { key: avtaleId, value: JSON.stringify({ hendelseType, ...felter, avtaleId, sistEndret, ...performer }) };
}

/** As the events of avtaler that live, of which only the last state is of use to a table. */
function made(count: number, seed: number): { form: Record<string, unknown>; columns: Record<string, unknown> }[] {
  const last = new Map<string, Record<string, unknown>>();
  for (let size = count * 8; last.size < count; size *= 2) {
    last.clear();
    for (const { key, value } of createEvents({ count: size, seed })) {
      const content = JSON.parse(String(value)) as Record<string, unknown>;
      if (content['feilregistrert'] === false && content['slettemerket'] === false) last.set(key ?? '', content);
      else last.delete(key ?? '');
    }
  }
  return [...last.values()].slice(0, count).map((content) => {
    const { avtaleId: _, sistEndret: __, hendelseType: ___, ...form } = content;
    const columns = Object.fromEntries(
      Object.entries(COLUMNS).map(([field, column]) => [column, content[field] ?? null]),
    );
    return { form, columns };
  });
}
