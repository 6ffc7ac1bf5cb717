import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { TILTAKSTYPER, UKJENT, type Tiltakstype } from '@tiltak/avtale';
import type { KindsAnswer } from '../lookups/narrowed.ts';
import { USES, type Use } from './use.ts';

const LAST_USED = {
  type: String,
  format: 'date-time',
  nullable: true,
  example: '2026-11-23T10:15:00.123456Z',
} as const;
const USE = {
  enum: USES,
  enumName: 'Bruk',
  example: 'BRUKT',
  description:
    'BRUKT: within the last 90 days. UBRUKT: before that, and not since. ALDRI: never since `bruk.kjentFra`, which is 90 days ago or more. UKJENT: not since `bruk.kjentFra`, which is later than that, or its use is not kept. When it was granted is not known here: what was granted lately may be ALDRI',
} as const;

const KINDS_ANSWERS = ['SVARER', 'BARE_MED_ABONNEMENT', 'AVVIST', UKJENT] as const satisfies (
  KindsAnswer | typeof UKJENT
)[];

@ApiSchema({ name: 'TilgangVilkaar' })
export class TermsStateDto {
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'The version that the consumer has accepted in the registry; null: none',
    example: 2,
  })
  godtatt: number | null;

  @ApiProperty({
    type: [Number],
    description: 'The versions of which one must be accepted, the newest last',
    example: [1, 2],
  })
  gyldige: number[];

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    description: 'The last day on which the accepted version is valid; null: no end is set, or none is accepted',
    example: null,
  })
  gyldigTil: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      'The version that must be accepted before anything else than this operation is answered; null: nothing is missing',
    example: null,
  })
  mangler: number | null;

  @ApiProperty({
    type: [String],
    description:
      'Operations and fields that are granted, and that only a newer version than the accepted one speaks of: until it is accepted, they are 403. Empty when `mangler` says that everything is',
    example: [],
  })
  dekkerIkke: string[];
}

@ApiSchema({ name: 'TilgangOperasjon' })
export class GrantedOperationDto {
  @ApiProperty({ description: 'operationId', example: 'hentTiltaksstatus' })
  operasjon: string;

  @ApiProperty({
    type: [String],
    description:
      'Fields that it answers with whatever is asked for, and that are not granted for this purpose: until they are, it is 403',
    example: [],
  })
  manglerFelter: string[];

  @ApiProperty({
    enum: KINDS_ANSWERS,
    enumName: 'SvarMedUtvalg',
    description:
      'What the `utvalg` of the purpose does to it. SVARER: it is answered, of these kinds only, or there is no utvalg. BARE_MED_ABONNEMENT: it is 403 without the parameter `abonnement`. AVVIST: it is 403, since it can not be held to some kinds',
    example: 'SVARER',
  })
  medUtvalg: KindsAnswer;

  @ApiProperty(USE)
  bruk: Use;

  @ApiProperty({
    ...LAST_USED,
    description: 'When it was last answered for this purpose; null: not since `bruk.kjentFra`',
  })
  sistBrukt: string | null;
}

@ApiSchema({ name: 'TilgangFelt' })
export class GrantedFieldDto {
  @ApiProperty({
    description:
      'Of an avtale, as `Avtalefelt` names it; of another resource with its name before it, as `virksomheter.navn`; a new one is added without a new version',
    example: 'startDato',
  })
  felt: string;

  @ApiProperty(USE)
  bruk: Use;

  @ApiProperty({
    ...LAST_USED,
    description:
      'When an answer was last made of it, or a search by it, for this purpose; null: not since `bruk.kjentFra`',
  })
  sistBrukt: string | null;
}

@ApiSchema({ name: 'TilgangUtvalg' })
export class GrantedKindsDto {
  @ApiProperty({
    enum: TILTAKSTYPER,
    enumName: 'Tiltakstype',
    isArray: true,
    description: 'No avtale of another kind is told of',
    example: ['MENTOR'],
  })
  tiltakstyper: Tiltakstype[];
}

@ApiSchema({ name: 'TilgangBehandlingsgrunnlag' })
export class GrantedPurposeDto {
  @ApiProperty({ description: 'The purpose, as the header `Behandlingsgrunnlag` names it', example: 'B1234' })
  id: string;

  @ApiProperty({
    type: String,
    format: 'uri',
    description: 'To it in the register of processing activities',
    example: 'https://behandlingskatalog.example.no/B1234',
  })
  lenke: string;

  @ApiProperty({
    type: () => GrantedKindsDto,
    nullable: true,
    description: 'The only avtaler that are told of for it, whatever is asked; null: all',
  })
  utvalg: GrantedKindsDto | null;

  @ApiProperty({ type: [GrantedOperationDto], description: 'What may be asked for it' })
  operasjoner: GrantedOperationDto[];

  @ApiProperty({ type: [GrantedFieldDto], description: 'What may be answered with, and searched by' })
  felter: GrantedFieldDto[];

  @ApiProperty({
    type: [String],
    description: 'The fields that are UBRUKT or ALDRI: perhaps more than the purpose needs',
    example: ['bedriftNr'],
  })
  ubrukteFelter: string[];
}

@ApiSchema({ name: 'TilgangKvote' })
export class QuotaStateDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'Requests a second, in the long run', example: 200 })
  perSekund: number;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'Requests at once, when none have been sent for a while',
    example: 400,
  })
  burst: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Requests that would pass now, after this one',
    example: 397,
  })
  igjen: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Seconds until all of it is there again, when nobody asks meanwhile',
    example: 1,
  })
  heleOmSekunder: number;
}

@ApiSchema({ name: 'TilgangGrense' })
export class LimitStateDto {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'At the same time, in all processes together',
    example: 500,
  })
  maks: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Those that could begin now', example: 499 })
  igjen: number;
}

@ApiSchema({ name: 'TilgangSamtidige' })
export class OpenLimitsDto {
  @ApiProperty({ type: LimitStateDto, description: 'Requests of any kind, this one among them' })
  foresporsler: LimitStateDto;

  @ApiProperty({ type: LimitStateDto, description: 'Exports' })
  eksporter: LimitStateDto;

  @ApiProperty({ type: LimitStateDto, description: 'Readers of the change feed that wait with `ventSekunder`' })
  ventendeLesere: LimitStateDto;
}

@ApiSchema({ name: 'TilgangBruk' })
export class KnownUseDto {
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Use is known from this moment on, to the microsecond; null: nothing has been summed up yet',
    example: '2026-01-01T00:00:00Z',
  })
  kjentFra: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'and up to this one, some minutes ago: the audit is summed up every five minutes. null: nothing has been summed up yet',
    example: '2026-11-23T10:10:00Z',
  })
  kjentTil: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'When this consumer was last answered with anything about avtaler, for any purpose; null: not in that time. hentFerskhet, hentDekning and hentTilgang do not count',
    example: '2026-11-23T10:09:12.123456Z',
  })
  sistKalt: string | null;

  @ApiProperty({
    type: 'integer',
    description: 'Days without use after which something is UBRUKT or ALDRI',
    example: 90,
  })
  ubruktEtterDager: number;
}

@ApiSchema({ name: 'Tilgang' })
export class OwnAccessDto {
  @ApiProperty({ description: 'The name of the consumer in the registry', example: 'tiltakshistorikk' })
  konsument: string;

  @ApiProperty({ description: 'The organisation whose avtaler are answered about here', example: 'nav' })
  organisasjon: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'The moment of this answer',
    example: '2026-11-23T10:15:00.123456Z',
  })
  tidspunkt: string;

  @ApiProperty({ type: TermsStateDto, description: 'Of the terms of use, docs/bruksvilkaar.md' })
  bruksvilkaar: TermsStateDto;

  @ApiProperty({ type: [GrantedPurposeDto], description: 'What is granted, purpose by purpose' })
  behandlingsgrunnlag: GrantedPurposeDto[];

  @ApiProperty({ type: () => QuotaStateDto, nullable: true, description: 'null: no quota' })
  kvote: QuotaStateDto | null;

  @ApiProperty({ type: OpenLimitsDto, description: 'What may be under way at the same time' })
  samtidige: OpenLimitsDto;

  @ApiProperty({ type: KnownUseDto, description: 'From when to when it is known what was used' })
  bruk: KnownUseDto;
}
