import type { DeltakerId } from '@tiltak/database';
import { kontekst, logg } from '@tiltak/platform';
import type { Pool } from 'pg';
import { utilgjengelig } from '../database/lesing.ts';
import { metrikker } from '../metrikker.ts';
import type { Tilgang } from '../tilgang/tilgang.ts';

interface Oppslag {
  konsument: string;
  behandlingsgrunnlag: string | null;
  operasjon: string;
  felter: readonly string[];
  /** opaque ids */
  personer: string[];
  antall_treff: number | null;
  tillatt: boolean;
  call_id: string;
}

interface Ventende {
  oppslag: Oppslag;
  ferdig: () => void;
  feilet: (feil: unknown) => void;
}

/** Rows in one insert. */
const MAKS_GRUPPE = 500;
/** Look-ups waiting to be written before new ones are turned away. */
const MAKS_KOE = 5_000;

/**
 * The audit of look-ups. An answer waits until its row is committed; the rows of look-ups that come while one commit is
 * under way share the next, so that throughput does not fall to one commit per request.
 */
export class Oppslagslogg {
  private koe: Ventende[] = [];
  private skrivere = 0;

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
  ) {}

  /**
   * @param personidenter who was asked for, and who was found
   * @param deltakerIder who was found, where no ident was read
   * @throws Problem 503 when it can't be written: then nothing may be answered
   */
  skriv(
    tilgang: Tilgang,
    felter: readonly string[],
    personidenter: Iterable<string>,
    antallTreff: number,
    deltakerIder: Iterable<string> = [],
  ): Promise<void> {
    return this.leggTil({
      konsument: tilgang.konsument,
      behandlingsgrunnlag: tilgang.behandlingsgrunnlag,
      operasjon: tilgang.operasjon,
      felter,
      personer: [...new Set([...Array.from(new Set(personidenter), this.deltakerId), ...deltakerIder])],
      antall_treff: antallTreff,
      tillatt: true,
      call_id: kontekst()?.callId ?? '',
    });
  }

  /** A look-up that was denied, with the persons it named. Nothing is answered anyway, so a failure is only logged. */
  async skrivAvslag(konsument: string, operasjon: string, body: unknown): Promise<void> {
    const oppslag: Oppslag = {
      konsument,
      behandlingsgrunnlag: null,
      operasjon,
      felter: [],
      personer: Array.from(new Set(identerI(body)), this.deltakerId),
      antall_treff: null,
      tillatt: false,
      call_id: kontekst()?.callId ?? '',
    };
    await this.leggTil(oppslag).catch((feil: unknown) => logg.error({ err: feil }, 'A denied look-up was not audited'));
  }

  private leggTil(oppslag: Oppslag): Promise<void> {
    if (this.koe.length >= MAKS_KOE) return Promise.reject(utilgjengelig('The audit log can not keep up'));
    return new Promise((ferdig, feilet) => {
      this.koe.push({ oppslag, ferdig, feilet });
      void this.skrivKoe();
    });
  }

  private async skrivKoe(): Promise<void> {
    // Two at a time: while one waits for the disk the next is gathered.
    if (this.skrivere >= 2) return;
    this.skrivere++;
    while (this.koe.length > 0) {
      const gruppe = this.koe.splice(0, MAKS_GRUPPE);
      try {
        await this.pool.query({
          name: 'skriv_oppslag',
          text: SKRIV,
          values: [JSON.stringify(gruppe.map((v) => v.oppslag))],
        });
        for (const { ferdig } of gruppe) ferdig();
      } catch (feil) {
        metrikker.databasefeil.inc();
        logg.error({ err: feil, antall: gruppe.length }, 'Look-ups could not be audited and are not answered');
        const problem = utilgjengelig('The look-up could not be audited', feil);
        for (const { feilet } of gruppe) feilet(problem);
      }
    }
    this.skrivere--;
  }
}

const SKRIV = `
  insert into oppslag (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id)
  select konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id
  from jsonb_to_recordset($1::jsonb) as ny(konsument text, behandlingsgrunnlag text, operasjon text, felter text[],
    personer uuid[], antall_treff int, tillatt boolean, call_id text)`;

/** Wherever in the body they stand, within a text (a GraphQL document, where they are in quotes) too. */
function identerI(body: unknown): string[] {
  const funnet = (JSON.stringify(body) ?? '').matchAll(/"(\d{11})\\?"/g);
  return Array.from(funnet, ([, ident = '']) => ident).slice(0, 1_000);
}
