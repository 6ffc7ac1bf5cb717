import {
  AVTALESTATUSER,
  GRANTABLE_FIELDS,
  GRUNNER,
  TILTAKSTYPER,
  UKJENT,
  type AvtaleField,
  type AvtaleStatus,
  type Grunn,
  type Tiltakstype,
} from '@tiltak/avtale';
import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType, PartialType } from '@nestjs/swagger';
import { NestedList, NestedObject } from '@tiltak/platform';
import { ArrayMaxSize, ArrayMinSize, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator';
import { AvtaleDto, AvtaleLenkerDto, IDENT_LIST, meaningOf, SomeOf } from '../avtaler/avtaler.dto.ts';
import { KindCoverageDto } from '../coverage/coverage.dto.ts';
import { IsDato, IsNotBeforeFra, IsPast, IsTidspunkt } from '../shared/dates.ts';
import { HasFields, IsPersonidenter } from '../shared/lists.ts';
import { NotTogetherWith, SumAtMost } from '../shared/together.ts';

/** Idents of one person, and of all persons of a request. */
const MAX_IDENTS_OF_PERSON = 20;
const MAX_IDENTS = 5_000;

/** Asked for like a field. */
export const LINKS = '_links';
export type Tiltaksfelt = AvtaleField | typeof LINKS;
const CHOICES: readonly Tiltaksfelt[] = [...GRANTABLE_FIELDS, LINKS];

@ApiSchema({ name: 'Personsporring' })
export class PersonsporringDto {
  @ApiPropertyOptional({ maxLength: 100, description: 'Your own name for the person; comes back with the answer' })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  referanse?: string;

  @ApiProperty({
    ...IDENT_LIST,
    maxItems: MAX_IDENTS_OF_PERSON,
    description: 'All national idents that the person has, or has had',
  })
  @IsPersonidenter(MAX_IDENTS_OF_PERSON)
  personidenter: string[];
}

@ApiSchema({ name: 'AapenPeriode' })
export class OpenPeriodDto {
  @ApiPropertyOptional({ format: 'date', description: 'First day, included; from the beginning when absent' })
  @IsOptional()
  @IsDato()
  fra?: string;

  @ApiPropertyOptional({ format: 'date', description: 'Last day, included; without end when absent' })
  @IsOptional()
  @IsDato()
  @IsNotBeforeFra()
  til?: string;
}

@ApiSchema({ name: 'TiltaksstatusSporring' })
export class TiltaksstatusSporringDto {
  @ApiPropertyOptional({ ...IDENT_LIST, description: 'National idents, each of a person. Either these or personer' })
  @ValidateIf(({ personer, personidenter }: TiltaksstatusSporringDto) => !personer || personidenter !== undefined)
  @IsPersonidenter()
  personidenter?: string[];

  @ApiPropertyOptional({
    type: [PersonsporringDto],
    minItems: 1,
    maxItems: 1_000,
    description: `Persons by all their idents, ${String(MAX_IDENTS)} idents at most: one answer for each person`,
  })
  @IsOptional()
  @ArrayMinSize(1)
  @ArrayMaxSize(1_000)
  @NotTogetherWith('personidenter')
  @SumAtMost('personidenter', MAX_IDENTS)
  @NestedList(() => PersonsporringDto)
  personer?: PersonsporringDto[];

  @ApiPropertyOptional({
    format: 'date',
    description: 'The day asked about; when absent today in Oslo, or the day of gjeldendePer',
    example: '2022-03-01',
  })
  @IsOptional()
  @IsDato()
  dato?: string;

  @ApiPropertyOptional({ type: OpenPeriodDto, description: 'Asks about these days, instead of dato' })
  @IsOptional()
  @NotTogetherWith('dato')
  @NestedObject(() => OpenPeriodDto)
  periode?: OpenPeriodDto;

  @SomeOf('Tiltakstype', TILTAKSTYPER, {
    description: 'The kinds asked about; all when absent',
    example: ['ARBEIDSTRENING'],
  })
  tiltakstyper?: Tiltakstype[];

  @ApiPropertyOptional({
    enum: CHOICES,
    enumName: 'Tiltaksfelt',
    isArray: true,
    minItems: 1,
    uniqueItems: true,
    description:
      'More of each measure, if the grant has it. _links leads to the avtale, and from it to the others of the person, over all idents asked for; it takes a grant for avtaleId and bedriftNr',
    example: ['avtaleId', 'bedriftNr'],
  })
  @IsOptional()
  @HasFields(CHOICES)
  felter?: Tiltaksfelt[];

  @ApiPropertyOptional({
    format: 'date-time',
    description:
      "Answer as the system knew it at this moment, not in the future; 10 s ahead by the caller's clock is now. Without avtaler that have been erased since",
    example: '2026-01-31T10:00:00Z',
  })
  @IsOptional()
  @IsTidspunkt()
  @IsPast()
  gjeldendePer?: string;
}

const ANSWERS = ['JA', 'NEI', 'UAVKLART'] as const;
export type Answer = (typeof ANSWERS)[number];

@ApiSchema({ name: 'Tiltak' })
export class TiltakDto extends PartialType(
  OmitType(AvtaleDto, ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato', LINKS]),
) {
  @ApiPropertyOptional({
    enum: TILTAKSTYPER,
    enumName: 'Tiltakstype',
    description: meaningOf('tiltakstype'),
    example: 'ARBEIDSTRENING',
  })
  tiltakstype?: Tiltakstype;

  @ApiPropertyOptional({
    enum: AVTALESTATUSER,
    enumName: 'AvtaleStatus',
    description: meaningOf('avtaleStatus'),
    example: 'GJENNOMFORES',
  })
  avtaleStatus?: AvtaleStatus;

  @ApiProperty({ format: 'date', description: meaningOf('startDato'), example: '2022-02-01' })
  startDato: string;

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    description: meaningOf('sluttDato'),
    example: '2022-07-31',
  })
  sluttDato: string | null;

  @ApiPropertyOptional({
    type: String,
    format: 'date',
    nullable: true,
    description: 'The last day on which it counts; null when it has no end yet',
    example: '2022-07-31',
  })
  sisteDag?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'With a period: its days in it; null when neither ends',
    example: 28,
  })
  dagerIPerioden?: number | null;

  @ApiPropertyOptional({ type: AvtaleLenkerDto, description: 'When asked for' })
  _links?: AvtaleLenkerDto;
}

@ApiSchema({ name: 'UsikkertTiltak' })
export class UsikkertTiltakDto extends OmitType(TiltakDto, ['annullertUnderveis']) {
  @ApiProperty({ description: 'It was annulled after it had begun', example: true })
  annullertUnderveis: boolean;

  @ApiProperty({
    enum: [...GRUNNER, UKJENT],
    enumName: 'Grunn',
    description:
      'Why nobody can say. ANNULLERT_UNDERVEIS: the date of an annulment is when it was registered, not when the person left. IKKE_INNGAATT_PAA_NYTT: its approvals are being renewed',
    example: 'ANNULLERT_UNDERVEIS',
  })
  grunn: Grunn;
}

@ApiSchema({ name: 'Varighet' })
export class VarighetDto {
  @ApiPropertyOptional({
    enum: TILTAKSTYPER,
    enumName: 'Tiltakstype',
    description: 'Kind of measure',
    example: 'ARBEIDSTRENING',
  })
  tiltakstype?: Tiltakstype;

  @ApiProperty({ format: 'date', description: 'The first day of all', example: '2021-07-01' })
  fra: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Days up to and with dato', example: 214 })
  dagerHittil: number;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    nullable: true,
    description: 'All days, those to come too; null when one has no end yet',
    example: 396,
  })
  dagerPlanlagt: number | null;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Gaps between its days', example: 0 })
  antallOpphold: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Days in those gaps', example: 0 })
  dagerOpphold: number;
}

@ApiSchema({ name: 'Tiltaksstatus' })
export class TiltaksstatusDto {
  @ApiPropertyOptional({ description: 'As it was asked with' })
  referanse?: string;

  @ApiProperty({ description: 'The ident asked for; of several the first' })
  personident: string;

  @ApiProperty({ description: 'Whether the person certainly is on a measure then: svar is JA', example: true })
  paaTiltak: boolean;

  @ApiPropertyOptional({
    enum: ANSWERS,
    enumName: 'Svar',
    description: 'JA: on a measure. UAVKLART: perhaps, see grunner and uavklarte. NEI: on none that is known here',
    example: 'JA',
  })
  svar?: Answer;

  @ApiPropertyOptional({
    enum: [...GRUNNER, UKJENT],
    enumName: 'Grunn',
    isArray: true,
    description: 'Why it is UAVKLART; empty otherwise',
    example: [],
  })
  grunner?: Grunn[];

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'How many measures the person certainly is on then',
    example: 1,
  })
  antall: number;

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    description: 'First day of the earliest of them; null when on none',
    example: '2022-02-01',
  })
  fra: string | null;

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    description: 'Last day of the latest of them; null when on none, or when one has no end yet',
    example: '2022-07-31',
  })
  til: string | null;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'Days from fra to til, both included; 0 when on none, null when one has no end yet',
    example: 181,
  })
  antallDager: number | null;

  @ApiProperty({ type: [TiltakDto], description: 'The measures that are certain, earliest first' })
  tiltak: TiltakDto[];

  @ApiPropertyOptional({ type: [UsikkertTiltakDto], description: 'Those that are not, earliest first' })
  uavklarte?: UsikkertTiltakDto[];

  @ApiPropertyOptional({
    type: [VarighetDto],
    description:
      'For how long, by kind of measure: the certain days of all avtaler of the kind, before and after too, each day once',
  })
  varighet?: VarighetDto[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'With a period: the days of it on which the person certainly is on a measure; null when it has no end',
    example: 59,
  })
  dager?: number | null;
}

@ApiSchema({ name: 'Tiltaksstatuser' })
export class TiltaksstatuserDto {
  @ApiProperty({
    format: 'date',
    description: 'The day answered for; with a period its last day, or today when it is open',
    example: '2022-03-01',
  })
  dato: string;

  @ApiPropertyOptional({ type: OpenPeriodDto, description: 'As it was asked with' })
  periode?: OpenPeriodDto;

  @ApiProperty({
    type: [TiltaksstatusDto],
    description: 'One for each ident or person asked for, in that order',
  })
  personer: TiltaksstatusDto[];

  @ApiPropertyOptional({ type: [KindCoverageDto], description: 'Of the kinds asked about: what NEI is worth' })
  dekning?: KindCoverageDto[];
}
