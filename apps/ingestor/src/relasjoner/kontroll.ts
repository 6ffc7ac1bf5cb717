import { parseArgs } from 'node:util';
import { lagPool } from '@tiltak/database';
import type { Pool } from 'pg';
import type { Databasekonfig } from '../config.ts';
import { valgAvDatabase } from '../database.ts';
import { iTransaksjon } from '../transaksjon.ts';
import { fortellOm, laasDeltakere, nesteDeltakere, type LagretRelasjon } from './relasjoner.sql.ts';
import { finnAvvik, rettRelasjoner, type Relasjonsavvik } from './relasjoner.ts';

const DELTAKERE_PER_GANG = 500;

/** What a check of all participants came to; the numbers are of links, which are stored in both directions. */
export interface Kontroll {
  deltakere: number;
  mangler: number;
  overfloedige: number;
  rettet: boolean;
}

/** One link that is not as it follows from the avtaler. */
export interface Avvik extends LagretRelasjon {
  avvik: 'MANGLER' | 'OVERFLOEDIG';
}

export interface Kontrollvalg {
  rett: boolean;
  /** hears of each difference as it is found */
  meld: (avvik: Avvik) => void;
  antall?: number;
}

/**
 * Compares the stored relations of every participant with those computed from the avtaler, some hundred participants at
 * a time, while messages are read. Each time is one snapshot; with `rett`, what differs is then computed again under the
 * locks and written.
 */
export async function kontrollerRelasjoner(pool: Pool, valg: Kontrollvalg): Promise<Kontroll> {
  const svar: Kontroll = { deltakere: 0, mangler: 0, overfloedige: 0, rettet: valg.rett };
  for (let etter: string | null = null; ;) {
    const { deltakere, avvik } = await sammenlign(pool, etter, valg.antall ?? DELTAKERE_PER_GANG);
    etter = deltakere.at(-1) ?? null;
    if (etter === null) return svar;
    for (const relasjon of avvik.mangler) valg.meld({ avvik: 'MANGLER', ...relasjon });
    for (const relasjon of avvik.overfloedige) valg.meld({ avvik: 'OVERFLOEDIG', ...relasjon });
    svar.deltakere += deltakere.length;
    svar.mangler += avvik.mangler.length;
    svar.overfloedige += avvik.overfloedige.length;
    if (valg.rett) await rett(pool, avvik);
  }
}

function sammenlign(
  pool: Pool,
  etter: string | null,
  antall: number,
): Promise<{ deltakere: string[]; avvik: Relasjonsavvik }> {
  return iTransaksjon(
    pool,
    async (db) => {
      const deltakere = await nesteDeltakere(db, etter, antall);
      return { deltakere, avvik: await finnAvvik(db, deltakere) };
    },
    'begin isolation level repeatable read read only',
  );
}

async function rett(pool: Pool, { mangler, overfloedige }: Relasjonsavvik): Promise<void> {
  const deltakere = [...new Set([...mangler, ...overfloedige].map(({ deltakerId }) => deltakerId))];
  if (deltakere.length === 0) return;
  await iTransaksjon(pool, async (db) => {
    await laasDeltakere(db, deltakere);
    await fortellOm(db, [...(await rettRelasjoner(db, deltakere))]);
  });
}

/**
 * `main.cjs relasjoner [--rett]`: a line of JSON for each difference, and last one with the numbers. The exit code is 0
 * when nothing differed, 1 when something did, also when it was put right, and 2 when it could not be found out.
 */
export async function kjorRelasjonskontroll(lesKonfig: () => Databasekonfig, argumenter: string[]): Promise<void> {
  let pool: Pool | undefined;
  try {
    const { values } = parseArgs({ args: argumenter, options: { rett: { type: 'boolean', default: false } } });
    pool = lagPool({ ...valgAvDatabase(lesKonfig()), poolSize: 1 });
    const svar = await kontrollerRelasjoner(pool, { rett: values.rett, meld: skriv });
    skriv(svar);
    process.exitCode = svar.mangler + svar.overfloedige > 0 ? 1 : 0;
  } catch (feil) {
    process.stderr.write(`${feil instanceof Error ? feil.message : String(feil)}\n`);
    process.exitCode = 2;
  } finally {
    await pool?.end();
  }
}

function skriv(linje: object): void {
  process.stdout.write(`${JSON.stringify(linje)}\n`);
}
