import type { ConsumerLimits } from '../access/consumer-limits.ts';
import type { Behandlingsgrunnlag, Konsument } from '../access/konsumenter.ts';
import { fieldsOfOperation, NOT_AUDITED } from '../access/operations.ts';
import { fieldsByTerms, missingTerms, TERMS, validTerms } from '../access/terms.ts';
import { answerWithKinds } from '../lookups/narrowed.ts';
import type { Reader } from '../lookups/reader.ts';
import type { Shares } from '../shared/shares.ts';
import type { GrantedPurposeDto, LimitStateDto, OwnAccessDto, QuotaStateDto, TermsStateDto } from './own-access.dto.ts';
import { UNUSED_AFTER_DAYS, useOf, type KnownTime } from './use.ts';
import { usageOf, type Used } from './usage.queries.ts';

/** What a consumer may, and what it uses of that. */
export class OwnAccess {
  constructor(
    private readonly reader: Reader,
    private readonly limits: ConsumerLimits,
    private readonly organisasjon: string,
  ) {}

  /** @throws Problem 503 when the database can't be asked */
  async of(konsument: Konsument): Promise<OwnAccessDto> {
    const [row] = await this.reader.query(usageOf(konsument.navn), { who: konsument.navn });
    if (!row) throw new Error('A left join gives one row at least');
    const { kjent_fra: from, kjent_til: to, now } = row;
    const used = (JSON.parse(row.brukt) as Used[]).map((one) => ({ ...one, sist: asRfc3339(one.sist) }));
    const known = from === null ? undefined : { from, now };
    return {
      konsument: konsument.navn,
      organisasjon: this.organisasjon,
      tidspunkt: asRfc3339(now),
      bruksvilkaar: toTerms(konsument),
      behandlingsgrunnlag: konsument.behandlingsgrunnlag.map((purpose) => toPurpose(purpose, used, known)),
      kvote: toQuota(konsument),
      samtidige: this.openLimits(konsument.navn),
      bruk: {
        kjentFra: from === null ? null : asRfc3339(from),
        kjentTil: to === null ? null : asRfc3339(to),
        sistKalt: latest(used),
        ubruktEtterDager: UNUSED_AFTER_DAYS,
      },
    };
  }

  private openLimits(who: string): OwnAccessDto['samtidige'] {
    const { lookups, exports, waitingReaders } = this.limits;
    const stateOf = (shares: Shares): LimitStateDto => ({ maks: shares.max, igjen: shares.left(who) });
    return { foresporsler: stateOf(lookups), eksporter: stateOf(exports), ventendeLesere: stateOf(waitingReaders) };
  }
}

function toTerms(konsument: Konsument): TermsStateDto {
  const { bruksvilkaar: accepted, behandlingsgrunnlag: purposes } = konsument;
  const missing = missingTerms(konsument);
  const operations = purposes.flatMap(({ operasjoner }) => [...operasjoner]);
  const notCovered = [
    ...operations.filter((operation) => missingTerms(konsument, operation) !== undefined),
    ...purposes.flatMap(({ felter }) => [...(fieldsByTerms(konsument, felter).withheld ?? [])]),
  ];
  return {
    godtatt: accepted ?? null,
    gyldige: validTerms().map(({ version }) => version),
    gyldigTil: TERMS.find(({ version }) => version === accepted)?.lastDay ?? null,
    mangler: missing ?? null,
    dekkerIkke: missing === undefined ? [...new Set<string>(notCovered)] : [],
  };
}

function toPurpose(
  { id, lenke, operasjoner: operations, felter: fields, kinds }: Behandlingsgrunnlag,
  used: readonly Used[],
  known: KnownTime | undefined,
): GrantedPurposeDto {
  const ofPurpose = used.filter(({ behandlingsgrunnlag }) => behandlingsgrunnlag === id);
  const granted = Array.from(fields, (field) => {
    const last = latest(ofPurpose.filter(({ felt }) => felt === field));
    return { felt: field, bruk: useOf(last, known), sistBrukt: last };
  });
  return {
    id,
    lenke,
    utvalg: kinds ? { tiltakstyper: [...kinds.published] } : null,
    operasjoner: Array.from(operations, (operation) => {
      const last = latest(ofPurpose.filter(({ operasjon }) => operasjon === operation));
      const needed = fieldsOfOperation(operation);
      return {
        operasjon: operation,
        manglerFelter: needed.filter((field) => !fields.has(field)),
        medUtvalg: kinds ? answerWithKinds(operation) : 'SVARER',
        bruk: useOf(last, NOT_AUDITED.has(operation) ? undefined : known),
        sistBrukt: last,
      };
    }),
    felter: granted,
    ubrukteFelter: granted.filter(({ bruk }) => bruk === 'UBRUKT' || bruk === 'ALDRI').map(({ felt }) => felt),
  };
}

function toQuota({ kvote: quota }: Konsument): QuotaStateDto | null {
  if (!quota) return null;
  const { perSecond, burst, left, fullAfterSeconds } = quota;
  return { perSekund: perSecond, burst, igjen: left, heleOmSekunder: Math.max(0, Math.ceil(fullAfterSeconds)) };
}

/** Text order is time order, once all are in UTC with six decimals. */
function latest(used: readonly Used[]): string | null {
  return used.reduce<string | null>((last, { sist }) => (last === null || sist > last ? sist : last), null);
}

/** Postgres leaves out decimals that are zero, and writes the zone that the session is in. */
function asRfc3339(moment: string): string {
  const micros = /\.(\d+)/.exec(moment)?.[1] ?? '';
  return `${new Date(moment).toISOString().slice(0, 19)}.${micros.padEnd(6, '0')}Z`;
}
