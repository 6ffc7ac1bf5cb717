import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Update, UnitKind } from './register-api.ts';
import type { Virksomhet } from './virksomhet.ts';

/** What `usendt` of a unit says. */
const SENT = 0;
const UNSENT = 1;
const REFUSED = 2;
const SQLITE_BUSY = 5;

const SCHEMA = `
  pragma locking_mode = exclusive;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  create table if not exists enhet (nr text primary key, innhold text not null, sist_endret text not null,
    slettet integer not null, sett integer not null default 0, usendt integer not null default ${String(UNSENT)}) without rowid;
  create index if not exists enhet_usendt on enhet (nr) where usendt = ${String(UNSENT)};
  create index if not exists enhet_avvist on enhet (nr) where usendt = ${String(REFUSED)};
  create table if not exists fjernet (nr text primary key, dato text not null, usendt integer not null default 1) without rowid;
  create table if not exists venter (nr text primary key, slag text not null, dato text not null, type text not null) without rowid;
  create table if not exists posisjon (slag text primary key, neste integer not null) without rowid;
  create table if not exists notat (navn text primary key, verdi text not null) without rowid;
`;

/** A unit as it is to be sent. */
export interface Row {
  nr: string;
  innhold: string;
  sist_endret: string;
}

/** A unit that the feed has told of, and that has not been read since. */
export interface Pending {
  nr: string;
  slag: UnitKind;
  dato: string;
  type: string;
}

/**
 * What the adapter knows of the register, in one file: the units, how far it has come in the feeds, and what it has not
 * sent. Each step is one transaction, so that a kill loses nothing, wherever it comes. Whoever has it open has it alone: of
 * two runs at once, one would send pages of what the other is changing.
 */
export class RegisterCopy {
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(file: string) {
    this.db = new DatabaseSync(file);
    try {
      this.db.exec(SCHEMA);
    } catch (error) {
      this.db.close();
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
      throw new Error(`Another run of the adapter has ${file} open: one at a time`, { cause: error });
    }
  }

  close(): void {
    this.db.close();
  }

  transaction<T>(work: () => T): T {
    this.db.exec('begin immediate');
    try {
      const result = work();
      this.db.exec('commit');
      return result;
    } catch (error) {
      this.db.exec('rollback');
      throw error;
    }
  }

  /** Of what has been read in the feed; undefined before anything has. */
  position(kind: UnitKind): number | undefined {
    return (this.get('select neste from posisjon where slag = ?', kind) as { neste: number } | undefined)?.neste;
  }

  /** Notes what is to be read, and that the feed goes on after it. */
  take(kind: UnitKind, updates: readonly Update[], next: number): void {
    this.transaction(() => {
      for (const { organisasjonsnummer, dato, endringstype } of updates) {
        this.wait({ nr: organisasjonsnummer, slag: kind, dato, type: endringstype });
      }
      this.run('insert into posisjon values (?, ?) on conflict do update set neste = excluded.neste', kind, next);
    });
  }

  /** The newest that was told of a unit is what counts: it is read once. */
  wait({ nr, slag, dato, type }: Pending): void {
    this.run(
      `insert into venter values (?, ?, ?, ?)
       on conflict do update set slag = excluded.slag, dato = excluded.dato, type = excluded.type where excluded.dato >= dato`,
      nr,
      slag,
      dato,
      type,
    );
  }

  pending(after: string, count: number): Pending[] {
    return this.all('select * from venter where nr > ? order by nr limit ?', after, count) as unknown as Pending[];
  }

  /** @returns what was known of it */
  known(nr: string): { innhold: Virksomhet; sistEndret: string } | undefined {
    const row = this.get('select innhold, sist_endret from enhet where nr = ?', nr) as Row | undefined;
    return row && { innhold: JSON.parse(row.innhold) as Virksomhet, sistEndret: row.sist_endret };
  }

  /** What was read of a unit since the feed told of it. */
  store({ nr, dato }: Pending, content: Virksomhet): void {
    this.put(nr, JSON.stringify(content), dato, content.slettetDato !== null);
    this.run('delete from venter where nr = ? and dato = ?', nr, dato);
  }

  /** @param isTold whether the register said so; else its deletion is not sent by itself */
  remove({ nr, dato }: Pending, { isTold }: { isTold: boolean }): void {
    this.run('delete from enhet where nr = ?', nr);
    this.run(
      `insert into fjernet (nr, dato, usendt) values (?, ?, ?)
       on conflict do update set dato = excluded.dato, usendt = excluded.usendt`,
      nr,
      dato,
      isTold ? UNSENT : SENT,
    );
    this.run('delete from venter where nr = ? and dato = ?', nr, dato);
  }

  /**
   * What a file says of a unit, of that moment or before.
   *
   * @param round of files; see `unseen`
   */
  storeFromFile(content: Virksomhet, moment: string, round: number): void {
    const { organisasjonsnummer: nr } = content;
    // Removed since: the file is older than that.
    if (this.get('select 1 from fjernet where nr = ? and dato > ?', nr, moment)) return;
    const text = JSON.stringify(content);
    const row = this.get('select innhold, sist_endret from enhet where nr = ?', nr) as Row | undefined;
    // What has not changed keeps its time: a full sync says nothing new of it.
    if (row && (row.innhold === text || row.sist_endret > moment)) {
      this.run('update enhet set sett = ? where nr = ?', round, nr);
      return;
    }
    this.put(nr, text, moment, false);
    this.run('update enhet set sett = ? where nr = ?', round, nr);
  }

  private put(nr: string, text: string, moment: string, isStruckOff: boolean): void {
    this.run(
      `insert into enhet (nr, innhold, sist_endret, slettet) values (?, ?, ?, ?)
       on conflict do update set innhold = excluded.innhold, sist_endret = excluded.sist_endret, slettet = excluded.slettet,
         usendt = 1 where excluded.sist_endret >= sist_endret`,
      nr,
      text,
      moment,
      Number(isStruckOff),
    );
    this.run('delete from fjernet where nr = ?', nr);
  }

  /** Units that the files of a round did not hold, and that are not struck off: nobody has told what became of them. */
  unseen(round: number, moment: string): { count: number; of: number } {
    const row = this.get(
      `select count(*) filter (where sett < ?1 and sist_endret <= ?2) as count, count(*) as "of" from enhet where slettet = 0`,
      round,
      moment,
    );
    return row as { count: number; of: number };
  }

  /** So that each of them is asked for. @param type that they wait with */
  waitForUnseen(round: number, moment: string, type: string): void {
    this.run(
      `insert into venter select nr, case json_extract(innhold, '$.organisasjonsform') when 'BEDR' then 'underenheter'
           when 'AAFY' then 'underenheter' else 'enheter' end, ?2, ?3
       from enhet where slettet = 0 and sett < ?1 and sist_endret <= ?2 on conflict do nothing`,
      round,
      moment,
      type,
    );
  }

  count(): number {
    return (this.get('select count(*) as n from enhet') as { n: number }).n;
  }

  /** The first number of each page of all units. */
  pageStarts(size: number): string[] {
    const starts: string[] = [];
    let n = 0;
    for (const row of this.statement('select nr from enhet order by nr').iterate()) {
      if (n++ % size === 0) starts.push(String(row['nr']));
    }
    return starts;
  }

  page(from: string, size: number): Row[] {
    return this.all(
      'select nr, innhold, sist_endret from enhet where nr >= ? order by nr limit ?',
      from,
      size,
    ) as unknown as Row[];
  }

  unsent(count: number): Row[] {
    return this.all(
      'select nr, innhold, sist_endret from enhet where usendt = 1 order by nr limit ?',
      count,
    ) as unknown as Row[];
  }

  removed(count: number): string[] {
    return this.all('select nr from fjernet where usendt = 1 order by nr limit ?', count).map((row) =>
      String(row['nr']),
    );
  }

  /** As they were when they were sent: what has been read since is still to be sent. */
  markSent(rows: readonly Row[]): void {
    this.transaction(() => {
      for (const { nr, sist_endret: moment, innhold } of rows) {
        this.run('update enhet set usendt = 0 where nr = ? and sist_endret = ? and innhold = ?', nr, moment, innhold);
      }
    });
  }

  /** All pages of a full sync are in. */
  markAllSent(): void {
    this.run('update enhet set usendt = ? where usendt <> ?', SENT, SENT);
  }

  /** It is sent again when it says something else. */
  markRefused(numbers: readonly string[]): void {
    this.transaction(() => {
      for (const nr of numbers) this.run('update enhet set usendt = ? where nr = ?', REFUSED, nr);
    });
  }

  refused(): string[] {
    return this.all(`select nr from enhet where usendt = ${String(REFUSED)} order by nr`).map((row) =>
      String(row['nr']),
    );
  }

  markRemoved(numbers: readonly string[]): void {
    this.transaction(() => {
      for (const nr of numbers) this.run('update fjernet set usendt = 0 where nr = ?', nr);
    });
  }

  note(name: string): string | undefined {
    return (this.get('select verdi from notat where navn = ?', name) as { verdi: string } | undefined)?.verdi;
  }

  setNote(name: string, value: string | undefined): void {
    if (value === undefined) this.run('delete from notat where navn = ?', name);
    else this.run('insert into notat values (?, ?) on conflict do update set verdi = excluded.verdi', name, value);
  }

  private statement(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.db.prepare(sql)));
    return statement;
  }

  private run(sql: string, ...values: (string | number)[]): void {
    this.statement(sql).run(...values);
  }

  private get(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined {
    return this.statement(sql).get(...values);
  }

  private all(sql: string, ...values: (string | number)[]): Record<string, unknown>[] {
    return this.statement(sql).all(...values);
  }
}
