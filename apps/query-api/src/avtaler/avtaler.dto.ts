import {
  AVTALESTATUSER,
  FASER,
  OPPHAV,
  STILLINGSTYPER,
  TILTAKSTYPER,
  UUID,
  type AvtaleStatus,
  type Fase,
  type Opphav,
  type Stillingstype,
  type Tiltakstype,
  FIELD_ENTRIES,
  GRANTABLE_FIELDS,
  MAX_BEDRIFT_NR,
  type AvtaleField,
  type StoredField,
} from '@tiltak/avtale';
import { applyDecorators } from '@nestjs/common';
import {
  ApiProperty,
  ApiPropertyOptional,
  type ApiPropertyOptions,
  ApiSchema,
  OmitType,
  PartialType,
} from '@nestjs/swagger';
import { IntegerParam, NestedObject } from '@tiltak/platform';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { HasEnd, IsDato, IsNotBeforeFra, IsPast, IsTidspunkt } from '../shared/dates.ts';
import {
  BEDRIFT_NR,
  BEDRIFT_NR_FORM,
  IsOrganisasjonsnummer,
  ORGANISASJONSNUMMER,
  IsAvtaleIder,
  IsBedriftsnumre,
  HasFields,
  IsPersonidenter,
  SplitList,
} from '../shared/lists.ts';
import { FILTER_FIELDS, type AvtaleFilter } from './avtaler.filter.ts';

/** What the table of fields says of it: every schema that shows a field says the same. */
export const meaningOf = (field: AvtaleField): string => FIELD_ENTRIES[field].meaning;

const textProperty = (field: StoredField, example: string | null): ApiPropertyOptions => ({
  type: String,
  nullable: true,
  description: meaningOf(field),
  example,
});
const dateProperty = (field: StoredField, example: string): ApiPropertyOptions => ({
  type: String,
  format: 'date',
  nullable: true,
  description: meaningOf(field),
  example,
});
const timeProperty = (field: StoredField, example: string | null): ApiPropertyOptions => ({
  type: String,
  format: 'date-time',
  nullable: true,
  description: meaningOf(field),
  example,
});

/** The schema of a list of one to a thousand texts of this form. */
function listOf<F extends { pattern: string } | { format: string } | { minLength: number; maxLength: number }>(
  form: F,
): { type: 'array'; minItems: number; maxItems: number; items: { type: 'string' } & F } {
  return { type: 'array', minItems: 1, maxItems: 1_000, items: { type: 'string', ...form } };
}

export const IDENT_LIST = listOf({ pattern: '^[0-9]{11}$' });

@ApiSchema({ name: 'Lenke' })
export class LenkeDto {
  @ApiProperty({ description: 'Path on this service', example: '/api/v1/avtaler/04d0033c-754b-4daa-b5ff-6531dc64582c' })
  href: string;
}

/** Of one relation, of one avtale: a participant with two hundred would make each of them as long as all. */
export const MAX_LINKS = 10;

@ApiSchema({ name: 'AvtaleLenker' })
export class AvtaleLenkerDto {
  @ApiProperty({ type: LenkeDto, description: 'This avtale' })
  self: LenkeDto;

  @ApiPropertyOptional({
    type: LenkeDto,
    description: "The participant's avtaler; absent when the participant is unknown",
  })
  deltaker?: LenkeDto;

  @ApiPropertyOptional({ type: LenkeDto, description: "The employer's avtaler; absent when the employer is unknown" })
  bedrift?: LenkeDto;

  @ApiPropertyOptional({
    type: LenkeDto,
    description: 'What the register says of the employer. Goes with hovedenhet; needs a grant of its own',
  })
  virksomhet?: LenkeDto;

  @ApiPropertyOptional({
    type: LenkeDto,
    description: 'What the register says of the hovedenhet. Goes with hovedenhet; needs a grant of its own',
  })
  hovedenhet?: LenkeDto;

  @ApiPropertyOptional({
    type: LenkeDto,
    description: 'The one before it in time, of the same participant, employer and kind of measure',
  })
  forrige?: LenkeDto;

  @ApiPropertyOptional({ type: LenkeDto, description: 'The one after it' })
  neste?: LenkeDto;

  @ApiPropertyOptional({
    type: [LenkeDto],
    maxItems: MAX_LINKS,
    description: "The participant's others that have a day in common with it; ten of them when there are more",
  })
  samtidige?: LenkeDto[];

  @ApiPropertyOptional({
    type: [LenkeDto],
    maxItems: MAX_LINKS,
    description:
      'Those of kind MENTOR that the participant has at the same employer on a day in common; ten of them when there are more',
  })
  mentor?: LenkeDto[];

  @ApiPropertyOptional({
    type: [LenkeDto],
    maxItems: MAX_LINKS,
    description: 'Of one of kind MENTOR: those that it is the mentor of; ten of them when there are more',
  })
  mentorFor?: LenkeDto[];

  @ApiPropertyOptional({
    type: LenkeDto,
    description: "The participant's avtaler, when `samtidige`, `mentor` or `mentorFor` names ten of more",
  })
  flere?: LenkeDto;
}

@ApiSchema({ name: 'Avtale' })
export class AvtaleDto {
  @ApiProperty({
    format: 'uuid',
    description: meaningOf('avtaleId'),
    example: '04d0033c-754b-4daa-b5ff-6531dc64582c',
  })
  avtaleId: string;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: meaningOf('avtaleNr'),
    example: 322,
  })
  avtaleNr: number | null;

  @ApiProperty(textProperty('deltakerFnr', null))
  deltakerFnr: string | null;

  @ApiProperty(textProperty('bedriftNr', '910825518'))
  bedriftNr: string | null;

  @ApiProperty(textProperty('bedriftNavn', 'MAURA OG KOLBU REGNSKAP'))
  bedriftNavn: string | null;

  @ApiProperty(textProperty('veilederNavIdent', 'Z992785'))
  veilederNavIdent: string | null;

  @ApiPropertyOptional({
    enum: TILTAKSTYPER,
    enumName: 'Tiltakstype',
    description: meaningOf('tiltakstype'),
    example: 'SOMMERJOBB',
  })
  tiltakstype?: Tiltakstype;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: meaningOf('versjon'),
    example: 1,
  })
  versjon: number | null;

  @ApiPropertyOptional({
    enum: AVTALESTATUSER,
    enumName: 'AvtaleStatus',
    description: meaningOf('avtaleStatus'),
    example: 'GJENNOMFORES',
  })
  avtaleStatus?: AvtaleStatus;

  @ApiProperty(timeProperty('avtaleInngaatt', '2026-01-30T12:15:00Z'))
  avtaleInngaatt: string | null;

  @ApiProperty(dateProperty('startDato', '2026-02-01'))
  startDato: string | null;

  @ApiProperty(dateProperty('sluttDato', '2026-07-31'))
  sluttDato: string | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: meaningOf('stillingprosent'),
    example: 80,
  })
  stillingprosent: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: meaningOf('antallDagerPerUke'),
    example: 4,
  })
  antallDagerPerUke: number | null;

  @ApiPropertyOptional({
    enum: STILLINGSTYPER,
    enumName: 'Stillingstype',
    description: meaningOf('stillingstype'),
    example: 'MIDLERTIDIG',
  })
  stillingstype?: Stillingstype;

  @ApiProperty(timeProperty('godkjentAvDeltaker', '2026-01-29T08:00:00Z'))
  godkjentAvDeltaker: string | null;

  @ApiProperty(timeProperty('godkjentAvArbeidsgiver', '2026-01-29T09:30:00.25Z'))
  godkjentAvArbeidsgiver: string | null;

  @ApiProperty(timeProperty('godkjentAvVeileder', '2026-01-30T12:15:00Z'))
  godkjentAvVeileder: string | null;

  @ApiProperty(timeProperty('godkjentAvBeslutter', null))
  godkjentAvBeslutter: string | null;

  @ApiProperty(textProperty('godkjentAvNavIdent', 'Z992785'))
  godkjentAvNavIdent: string | null;

  @ApiProperty(textProperty('godkjentAvBeslutterNavIdent', null))
  godkjentAvBeslutterNavIdent: string | null;

  @ApiProperty({ description: meaningOf('godkjentPaaVegneAv'), example: false })
  godkjentPaaVegneAv: boolean;

  @ApiProperty({ description: meaningOf('godkjentPaaVegneAvArbeidsgiver'), example: false })
  godkjentPaaVegneAvArbeidsgiver: boolean;

  @ApiPropertyOptional({
    enum: OPPHAV,
    enumName: 'Opphav',
    description: meaningOf('opphav'),
    example: 'VEILEDER',
  })
  opphav?: Opphav;

  @ApiProperty(timeProperty('opprettetTidspunkt', '2026-01-18T07:43:53.256512Z'))
  opprettetTidspunkt: string | null;

  @ApiProperty(timeProperty('annullertTidspunkt', null))
  annullertTidspunkt: string | null;

  @ApiProperty({
    format: 'date-time',
    description: meaningOf('sistEndret'),
    example: '2026-02-04T08:46:39.573884Z',
  })
  sistEndret: string;

  @ApiPropertyOptional({
    enum: FASER,
    enumName: 'Fase',
    description: `${meaningOf('fase')}. The day is today, faseDato, or the day of gjeldendePer; of a version, the day it was learned. Absent when not granted`,
    example: 'PAAGAAR',
  })
  fase?: Fase;

  @ApiPropertyOptional({
    description:
      'Present, and true, when it was annulled after it had begun: when the person left is not known. Goes with fase',
    example: true,
  })
  annullertUnderveis?: boolean;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: `${meaningOf('hovedenhet')}. Absent when not granted`,
    example: '910712217',
  })
  hovedenhet?: string | null;

  @ApiProperty({ type: AvtaleLenkerDto, description: 'Where to go from here (HAL)' })
  _links: AvtaleLenkerDto;
}

const SEARCH_NEXT =
  'Cursor to the next page; absent on the last one. A page may be shorter than antall, or empty, and still have it';

@ApiSchema({ name: 'Avtaleside' })
export class AvtalesideDto {
  @ApiProperty({ type: [AvtaleDto], description: 'In the order of avtaleId' })
  avtaler: AvtaleDto[];

  @ApiPropertyOptional({ description: SEARCH_NEXT })
  neste?: string;
}

@ApiSchema({ name: 'Periode' })
export class PeriodeDto {
  @ApiPropertyOptional({
    format: 'date',
    description: 'First day, included; from the beginning when absent',
    example: '2022-01-01',
  })
  @IsOptional()
  @IsDato()
  fra?: string;

  @ApiPropertyOptional({
    format: 'date',
    description: 'Last day, included; not before fra; without end when absent',
    example: '2026-12-31',
  })
  @IsOptional()
  @IsDato()
  @IsNotBeforeFra()
  til?: string;
}

/** A list of one to twenty of these values, which the document knows by name. */
export function SomeOf(
  enumName: string,
  values: readonly string[],
  words: { description: string; example: string[] },
): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ enum: [...values], enumName, isArray: true, minItems: 1, maxItems: 20, ...words }),
    IsOptional(),
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(20),
    IsIn(values, { each: true, message: `must be of ${values.join(', ')}` }),
  );
}

function IsUuid(): PropertyDecorator {
  return Matches(UUID, { message: 'must be a UUID' });
}

function Count(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 100,
      description: 'Avtaler on a page',
      example: 10,
    }),
    IsInt(),
    Min(1),
    Max(1_000),
  );
}

function Next(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ maxLength: 200, description: 'Cursor from the page before, of the same search' }),
    IsOptional(),
    IsString(),
    MaxLength(200),
  );
}

export class SideDto {
  @IntegerParam()
  @Count()
  antall: number = 100;

  @Next()
  neste?: string;
}

/** A page of avtaler, all of them or those in these phases. */
export class AvtalefaseSideDto extends SideDto {
  @SplitList()
  @SomeOf('Fase', FASER, {
    description: described('faser', 'Phases on faseDato: `faser=PAAGAAR&faser=PLANLAGT`, or with commas between'),
    example: ['PAAGAAR'],
  })
  faser?: Fase[];

  @ApiPropertyOptional({
    format: 'date',
    description: described('faseDato', 'The day that fase is of; when absent today in Oslo'),
    example: '2026-01-31',
  })
  @IsOptional()
  @IsDato()
  faseDato?: string;
}

/** A filter's description, with what the grant must have for it. */
export function described(filter: keyof AvtaleFilter, description: string): string {
  return `${description}. Needs a grant for ${FILTER_FIELDS[filter].join(' and ')}`;
}

@ApiSchema({ name: 'Sok' })
export class SokDto {
  @ApiPropertyOptional({
    ...IDENT_LIST,
    description: described('personidenter', 'National idents of participants'),
  })
  @IsOptional()
  @IsPersonidenter()
  personidenter?: string[];

  @ApiPropertyOptional({
    ...listOf({ minLength: 1, maxLength: MAX_BEDRIFT_NR }),
    description: described(
      'bedriftsnumre',
      'Organisation numbers of employers; of very old avtaler they need not be nine digits',
    ),
    example: ['910825518'],
  })
  @IsOptional()
  @IsBedriftsnumre()
  bedriftsnumre?: string[];

  @ApiPropertyOptional({
    ...ORGANISASJONSNUMMER,
    description: described(
      'hovedenhet',
      'Organisation number of a unit: its avtaler, and those of all establishments below it, at whatever level, as virksomheter say now',
    ),
    example: '910712217',
  })
  @IsOptional()
  @IsOrganisasjonsnummer()
  hovedenhet?: string;

  @ApiPropertyOptional({
    ...listOf({ format: 'uuid' }),
    description: described(
      'avtaleIder',
      'Identities of avtaler, for instance those that a page of the change feed names',
    ),
    example: ['04d0033c-754b-4daa-b5ff-6531dc64582c'],
  })
  @IsOptional()
  @IsAvtaleIder()
  avtaleIder?: string[];

  @SomeOf('Tiltakstype', TILTAKSTYPER, {
    description: described('tiltakstyper', 'Kinds of measure'),
    example: ['SOMMERJOBB'],
  })
  tiltakstyper?: Tiltakstype[];

  @SomeOf('AvtaleStatus', AVTALESTATUSER, {
    description: described('statuser', 'Statuses'),
    example: ['GJENNOMFORES', 'AVSLUTTET'],
  })
  statuser?: AvtaleStatus[];

  @SomeOf('Fase', FASER, { description: described('faser', 'Phases on faseDato'), example: ['PAAGAAR'] })
  faser?: Fase[];

  @ApiPropertyOptional({
    format: 'date',
    description: described(
      'faseDato',
      'The day that fase is of; when absent today in Oslo, or the day of gjeldendePer',
    ),
    example: '2026-01-31',
  })
  @IsOptional()
  @IsDato()
  faseDato?: string;

  @ApiPropertyOptional({
    type: PeriodeDto,
    description: described(
      'periode',
      'Overlapping these days; either end may be open. An avtale without sluttDato goes on, one without startDato overlaps nothing',
    ),
  })
  @IsOptional()
  @HasEnd()
  @NestedObject(() => PeriodeDto)
  periode?: PeriodeDto;

  @ApiPropertyOptional({
    format: 'date-time',
    description: described('endretEtter', 'Changed at the source after this moment'),
    example: '2020-01-01T00:00:00Z',
  })
  @IsOptional()
  @IsTidspunkt()
  endretEtter?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: described(
      'gjeldendePer',
      "Answer as the system knew it at this moment, not in the future; 10 s ahead by the caller's clock is now. Without links between avtaler, and without those erased since",
    ),
    example: '2026-01-31T10:00:00Z',
  })
  @IsOptional()
  @IsTidspunkt()
  @IsPast()
  gjeldendePer?: string;

  @Count()
  antall: number = 100;

  @Next()
  neste?: string;
}

@ApiSchema({ name: 'UtdragSok' })
export class UtdragSokDto extends SokDto {
  @ApiProperty({
    enum: GRANTABLE_FIELDS,
    enumName: 'Avtalefelt',
    isArray: true,
    minItems: 1,
    uniqueItems: true,
    description: 'The fields to answer with. No others are read',
    example: ['avtaleId', 'tiltakstype', 'startDato', 'sluttDato'],
  })
  @HasFields(GRANTABLE_FIELDS)
  felter: AvtaleField[];
}

@ApiSchema({ name: 'Utdrag' })
export class UtdragDto extends PartialType(OmitType(AvtaleDto, ['_links'])) {}

@ApiSchema({ name: 'Utdragsside' })
export class UtdragssideDto {
  @ApiProperty({ type: [UtdragDto], description: 'In the order of avtaleId, each with the fields asked for' })
  avtaler: UtdragDto[];

  @ApiPropertyOptional({ description: SEARCH_NEXT })
  neste?: string;
}

@ApiSchema({ name: 'Versjon' })
export class VersjonDto {
  @ApiProperty({
    format: 'date-time',
    description: 'When this system learned of it; in force until the next one',
    example: '2026-02-04T08:46:40.1Z',
  })
  laert: string;

  @ApiProperty({ type: AvtaleDto, description: 'The avtale as it was, without links to other avtaler' })
  avtale: AvtaleDto;
}

@ApiSchema({ name: 'Versjonsside' })
export class VersjonssideDto {
  @ApiProperty({ type: [VersjonDto], description: 'Oldest first' })
  versjoner: VersjonDto[];

  @ApiPropertyOptional({ description: 'Cursor to the next page; absent on the last one' })
  neste?: string;
}

/** Path parameters are validated like bodies: a wrong one is named. */
export class AvtaleIdDto {
  @IsUuid()
  avtaleId: string;
}

export class DeltakerIdDto {
  @IsUuid()
  deltakerId: string;
}

export class AvtaleNrDto {
  @IntegerParam()
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  avtaleNr: number;
}

export class BedriftNrDto {
  @Matches(BEDRIFT_NR, { message: BEDRIFT_NR_FORM })
  bedriftNr: string;
}
