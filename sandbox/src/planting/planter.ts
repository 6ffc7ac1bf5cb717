import { createHash } from 'node:crypto';
import { createPool, type DeltakerId } from '@tiltak/database';
import type { OrganisasjonDatabase } from '@tiltak/testing';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { ingestBatch } from '../../../apps/ingestor/src/ingest/ingest-batch.ts';
import { PersonWriter } from '../../../apps/ingestor/src/ingest/person-writer.ts';
import { ResourceWriter } from '../../../apps/ingestor/src/ingest/resource-writer.ts';
import { Writer } from '../../../apps/ingestor/src/ingest/writer.ts';
import { GiveWay } from '../../../apps/ingestor/src/background/give-way.ts';
import { ingestResource } from '../../../apps/ingestor/src/resources/resource.consumer.ts';
import { HovedenhetTold } from '../../../apps/ingestor/src/resources/virksomheter/hovedenhet-told.job.ts';
import { virksomheter } from '../../../apps/ingestor/src/resources/virksomheter/virksomheter.ts';
import type { SandboxClock } from '../process/clock.ts';
import { connectionOf, emptySource, emptyTables, SOURCE, VIRKSOMHET_SOURCE } from '../process/database.ts';
import {
  sourceForm,
  tombstone,
  virksomhetForm,
  type PlantedContent,
  type PlantedVirksomhet,
  type SourceForm,
} from './source-form.ts';

/** What came of a message: as the ordering rule of the product decided. */
export type PlantOutcome = 'TATT_INN' | 'UENDRET' | 'FORELDET' | 'SLETTET';

/** What an avtale shall say, oldest first. */
export interface ToPlant {
  avtaleId: string;
  versions: readonly PlantedContent[];
  isDeleted?: boolean | undefined;
}

interface Known {
  avtaleNr: number;
  versjon: number;
  changedMs: number;
}

/** What holds what was planted, who asked, and what they follow. */
export const EMPTIED = [
  ...['avtale', 'avtale_versjon', 'endring', 'relasjon', 'parkert_melding', 'registerident', 'personident'],
  ...['personident_foer', 'konsum_hull', 'oppslagslinje', 'konsumentbruk', 'konsumentbruk_tidsrom'],
  ...['abonnement', 'abonnement_medlem', 'avtale_endring'],
  ...['virksomhet', 'virksomhet_versjon', 'virksomhet_endring', 'hovedenhet_varsel', 'manglende_virksomhet'],
];

const IDENT_SOURCE = { topic: 'sandkasse-identer', epoch: 0, partition: 0 };

/**
 * Gives the product's own writer messages, as the source's topic does: links, history, the change feed and what the
 * ordering rule says follow of themselves. One call at a time, since they share a position.
 */
export class Planter {
  private readonly pool: Pool;
  private readonly writer: Writer;
  private readonly personWriter: PersonWriter;
  private readonly virksomhetWriter: ResourceWriter;
  private readonly hovedenhetTold: HovedenhetTold;
  private readonly idents = new Map<string, string>();
  private position = 0;
  private identPosition = 0;
  private virksomhetPosition = 0;
  private numbers = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    logins: OrganisasjonDatabase,
    private readonly owner: DataSource,
    private readonly deltakerId: DeltakerId,
    private readonly clock: SandboxClock,
  ) {
    this.pool = createPool({ ...connectionOf(logins), ...logins.ingestor });
    this.writer = new Writer(this.pool, deltakerId);
    this.personWriter = new PersonWriter(this.pool, deltakerId);
    this.virksomhetWriter = new ResourceWriter(this.pool, virksomheter);
    // Nothing else is under way here.
    this.hovedenhetTold = new HovedenhetTold(this.pool, new GiveWay({ underWay: undefined, lastUnderWay: 0 }));
  }

  /** @returns what became of the last message of each. @throws Problem 400, and nothing is planted */
  plant(avtaler: readonly ToPlant[]): Promise<PlantOutcome[]> {
    return this.inTurn(async () => {
      const known = await this.readKnown(avtaler.map(({ avtaleId }) => avtaleId));
      const nowMs = this.clock.now().getTime();
      const perAvtale = avtaler.map((avtale) => this.messagesOf(avtale, known.get(avtale.avtaleId), nowMs));
      for (const { versions } of avtaler)
        for (const { deltakerFnr } of versions) if (deltakerFnr) this.learn(deltakerFnr);
      // Each version is a message of its own, and what comes together may be stored as one: they go one after the other.
      const outcomes = new Map<string, PlantOutcome>();
      for (let round = 0; ; round++) {
        const messages = perAvtale.flatMap((of) => of[round] ?? []);
        if (messages.length === 0) return avtaler.map(({ avtaleId }) => outcomes.get(avtaleId) ?? 'UENDRET');
        for (const [avtaleId, outcome] of await this.ingest(messages)) outcomes.set(avtaleId, outcome);
      }
    });
  }

  /** Deletes, as a tombstone on the topic does; one that is not there is none. */
  remove(avtaleId: string): Promise<void> {
    return this.inTurn(async () => {
      await this.ingest([tombstone(avtaleId, this.clock.now().getTime())]);
    });
  }

  /** They are one person, as the person register says. What it said of the first of them before is forgotten. */
  plantPerson(idents: readonly string[]): Promise<void> {
    return this.inTurn(async () => {
      for (const ident of idents) this.learn(ident);
      const key = aktorIdOf(idents[0] ?? '');
      const identifikatorer = idents.map((idnummer, i) => ({
        idnummer,
        type: 'FOLKEREGISTERIDENT',
        gjeldende: i === 0,
      }));
      const value = Buffer.from(JSON.stringify({ identifikatorer }));
      const message = { offset: this.identPosition++, key: Buffer.from(key), value };
      await this.personWriter.write({
        ...IDENT_SOURCE,
        select: () => Promise.resolve({ messages: [message], record: () => Promise.resolve() }),
      });
    });
  }

  /**
   * What the register says of an employer. Avtaler whose hovedenhet becomes another are in the change feed when this is
   * done. @throws Problem 400, and nothing is planted
   */
  plantVirksomhet(organisasjonsnummer: string, content: PlantedVirksomhet): Promise<PlantOutcome> {
    return this.inTurn(async () => {
      const [known] = await this.owner.query<{ ms: string }[]>(
        `select ceil(extract(epoch from sist_endret) * 1000)::text as ms from virksomhet where organisasjonsnummer = $1`,
        [organisasjonsnummer],
      );
      const changedMs = Math.max(this.clock.now().getTime(), Number(known?.ms ?? 0) + 1);
      return this.ingestVirksomhet(virksomhetForm(organisasjonsnummer, content, changedMs));
    });
  }

  /** Deletes, as a tombstone does: nothing is known of it any more, but that avtaler may name it. */
  removeVirksomhet(organisasjonsnummer: string): Promise<void> {
    return this.inTurn(async () => {
      await this.ingestVirksomhet(tombstone(organisasjonsnummer, this.clock.now().getTime()));
    });
  }

  /** The ident that an opaque id of the audit stands for, when it has been planted here. */
  identOf(deltakerId: string): string | undefined {
    return this.idents.get(deltakerId);
  }

  /** Nothing has been planted, and whoever follows the change feed must begin anew. */
  empty(): Promise<void> {
    return this.inTurn(async () => {
      await emptyTables(this.owner, EMPTIED);
      await this.owner.query('update abonnering set foelges = false');
      await this.owner.query('update instans set epoke = gen_random_uuid()');
      await emptySource(this.owner);
      this.idents.clear();
      this.position = 0;
      this.virksomhetPosition = 0;
      this.numbers = 0;
    });
  }

  async stop(): Promise<void> {
    await this.last.catch(() => undefined);
    await this.pool.end();
  }

  private messagesOf(
    { avtaleId, versions, isDeleted }: ToPlant,
    known: Known | undefined,
    nowMs: number,
  ): SourceForm[] {
    const { avtaleNr = ++this.numbers, versjon = 0, changedMs = 0 } = known ?? {};
    // What is planted later is newer, also when the clock has been set back.
    const firstMs = Math.max(nowMs, changedMs + 1);
    const messages = versions.map((content, i) =>
      sourceForm(
        content,
        {
          avtaleId,
          avtaleNr,
          versjon: versjon + 1 + i,
          sistEndret: new Date(firstMs + i).toISOString(),
          today: this.clock.today(),
        },
        firstMs + i,
      ),
    );
    return isDeleted ? [...messages, tombstone(avtaleId, firstMs)] : messages;
  }

  private async ingest(forms: readonly SourceForm[]): Promise<[string, PlantOutcome][]> {
    const from = this.position;
    const nextOffset = from + forms.length;
    const messages = forms.map((form, i) => ({ ...form, offset: from + i }));
    const extent = { fetchedFrom: from, nextOffset, endOffset: nextOffset };
    const { folds, parked } = await ingestBatch(this.writer, { ...SOURCE, messages, ...extent });
    this.position = nextOffset;
    requireUsable(parked);
    return folds.map((fold) => [fold.avtaleId, outcomeOf(fold)]);
  }

  private async ingestVirksomhet(form: SourceForm): Promise<PlantOutcome> {
    const from = this.virksomhetPosition;
    const extent = { fetchedFrom: from, nextOffset: from + 1, endOffset: from + 1 };
    const messages = [{ ...form, offset: from }];
    const { folds, parked } = await ingestResource(this.virksomhetWriter, {
      ...VIRKSOMHET_SOURCE,
      messages,
      ...extent,
    });
    this.virksomhetPosition = from + 1;
    requireUsable(parked);
    await this.hovedenhetTold.round();
    return outcomeOf(folds[0]);
  }

  private async readKnown(avtaleIder: readonly string[]): Promise<Map<string, Known>> {
    const rows = await this.owner.query<{ avtale_id: string; avtale_nr: number; versjon: number; ms: string }[]>(
      `select avtale_id, coalesce(avtale_nr, 0) as avtale_nr, coalesce(versjon, 0) as versjon,
         ceil(extract(epoch from sist_endret) * 1000)::text as ms
       from avtale where avtale_id = any($1::uuid[])`,
      [avtaleIder],
    );
    return new Map(
      rows.map((row) => [row.avtale_id, { avtaleNr: row.avtale_nr, versjon: row.versjon, changedMs: Number(row.ms) }]),
    );
  }

  private learn(ident: string): void {
    this.idents.set(this.deltakerId(ident), ident);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.catch(() => undefined).then(work);
    this.last = turn;
    return turn;
  }
}

function requireUsable([unusable]: readonly { code: string; reason: string }[]): void {
  if (unusable) throw new Error(`The product parked what was planted: ${unusable.code} ${unusable.reason}`);
}

function outcomeOf(fold: { outcomes: Record<PlantOutcome, number> } | undefined): PlantOutcome {
  const names: readonly PlantOutcome[] = ['TATT_INN', 'UENDRET', 'FORELDET', 'SLETTET'];
  return names.find((name) => (fold?.outcomes[name] ?? 0) > 0) ?? 'UENDRET';
}

/** Thirteen digits, the same for the same ident. */
function aktorIdOf(ident: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(ident).digest('hex').slice(0, 15)}`) % 10n ** 12n;
  return `9${digits.toString().padStart(12, '0')}`;
}
