import { logger } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { AuditRow } from './audit-row.ts';

/** What look-ups have in common: who asks, why, what, and of which fields. */
export type AuditForm = Pick<AuditRow, 'konsument' | 'behandlingsgrunnlag' | 'operasjon' | 'felter'>;

interface Known {
  nr: number;
  confirmedAt: number;
}

/** How long a number is used without the database being told again what it stands for. */
const CONFIRMED_MS = 60_000;

/**
 * The numbers of forms (ADR 40). They are made of the content by the database, so that one that is remembered here can't
 * come to stand for something else, whatever becomes of the database meanwhile; that it knows the form is made sure of
 * again each minute, since a failover can lose the last transactions.
 *
 * As many as the database takes are remembered: 200 for each consumer.
 */
export class AuditForms {
  private readonly known = new Map<string, Known>();
  private readonly asked = new Map<string, Promise<number | undefined>>();
  /** of whom the database takes no more */
  private readonly full = new Set<string>();

  constructor(
    private readonly pool: Pool,
    private readonly confirmedMs = CONFIRMED_MS,
  ) {}

  /**
   * The number of a form, which is committed by then; undefined when the row must say it all itself. Needs no round trip
   * but the first time. Never rejects: whether the audit can be written, the row tells.
   */
  numberOf(form: AuditForm): number | undefined | Promise<number | undefined> {
    // Nothing that Postgres keeps has this character, so that two forms have two keys.
    const key = `${form.konsument}\0${form.behandlingsgrunnlag ?? ''}\0${form.operasjon}\0${form.felter.join('\0')}`;
    const known = this.known.get(key);
    if (!known) return this.full.has(form.konsument) ? undefined : this.ask(key, form);
    if (performance.now() - known.confirmedAt > this.confirmedMs) {
      // At once, so that those who come meanwhile don't ask too.
      known.confirmedAt = performance.now();
      void this.ask(key, form);
    }
    return known.nr;
  }

  /** Once for those who ask at the same time. */
  private ask(key: string, form: AuditForm): Promise<number | undefined> {
    let answer = this.asked.get(key);
    if (!answer) {
      answer = this.read(key, form).finally(() => this.asked.delete(key));
      this.asked.set(key, answer);
    }
    return answer;
  }

  private async read(key: string, form: AuditForm): Promise<number | undefined> {
    const { konsument, behandlingsgrunnlag, operasjon, felter } = form;
    if (behandlingsgrunnlag === null) return undefined;
    try {
      const values = [konsument, behandlingsgrunnlag, operasjon, felter];
      const { rows } = await this.pool.query<{ nr: number | null }>({ name: 'oppslagsform', text: NUMBER, values });
      const nr = rows[0]?.nr ?? undefined;
      if (nr === undefined) {
        this.full.add(konsument);
        // Lost in a failover, and others have come meanwhile: no line may name it any more.
        this.known.delete(key);
      } else this.known.set(key, { nr, confirmedAt: performance.now() });
      return nr;
    } catch (error) {
      const known = this.known.get(key);
      if (known) known.confirmedAt = -Infinity;
      logger.warn({ err: error }, 'The form of a look-up has no number yet: its row of the audit says it in full');
      return undefined;
    }
  }
}

/** Of 52 bits, so that a double holds it. */
const NUMBER = 'select oppslagsform_nr($1, $2, $3, $4)::float8 as nr';
