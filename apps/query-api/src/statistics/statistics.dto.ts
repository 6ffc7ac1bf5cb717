import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { FASER, type Fase } from '@tiltak/avtale';
import { IntegerParam } from '@tiltak/platform';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { IsDato } from '../shared/dates.ts';
import { IsOrganisasjonsnummer, ORGANISASJONSNUMMER } from '../shared/lists.ts';

/** In the order in which a table is stored by them. */
export const GROUPINGS = ['TILTAKSTYPE', 'STATUS', 'BEDRIFT', 'MAANED', 'FASE'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export const UNITS = ['AVTALER', 'DELTAKERE'] as const;
export type Unit = (typeof UNITS)[number];

/** Months before this one that there are figures of. */
export const MAX_MONTHS = 36;

export class StatistikkSporringDto {
  @ApiProperty({
    enum: GROUPINGS,
    enumName: 'Inndeling',
    isArray: true,
    minItems: 1,
    maxItems: 2,
    description:
      'What to count by: one, or two with commas between or as `per=TILTAKSTYPE&per=FASE`. MAANED is the month in which they start; it does not go with BEDRIFT',
    example: ['TILTAKSTYPE'],
  })
  @Transform(({ value }: { value: unknown }) => splitList(value))
  @IsArray()
  @ArrayMinSize(1, { message: 'must have one or two' })
  @ArrayMaxSize(2, { message: 'must have one or two' })
  @ArrayUnique({ message: 'must be different' })
  @IsIn(GROUPINGS, { each: true, message: `must be one of ${GROUPINGS.join(', ')}` })
  per: Grouping[];

  @ApiPropertyOptional({
    ...ORGANISASJONSNUMMER,
    description:
      'Organisation number of a unit: of the groups that are told of, those of its avtaler and of all establishments below it, at whatever level, as virksomheter say now. Goes with `per=BEDRIFT`; what is not told of is not told of together either, so `ovrige` is null. Needs a grant for hovedenhet',
  })
  @IsOptional()
  @IsOrganisasjonsnummer()
  hovedenhet?: string;

  @ApiPropertyOptional({
    enum: UNITS,
    enumName: 'Statistikkenhet',
    description:
      'What to count. DELTAKERE: different participants of the avtaler of a group, each once; an avtale that names no participant counts for none. With several phases, count them by FASE: a participant may be in more than one',
    default: 'AVTALER',
  })
  @IsOptional()
  @IsIn(UNITS, { message: `must be one of ${UNITS.join(', ')}` })
  enhet?: Unit;

  @ApiPropertyOptional({
    enum: FASER,
    enumName: 'Fase',
    isArray: true,
    minItems: 1,
    maxItems: 20,
    description:
      'Only those in these phases on `dato`: `faser=PAAGAAR&faser=PLANLAGT`, or with commas between. All phases when absent, drafts and annulled ones too. Of several, a group is the sum of those phases in which it may be told of',
    example: ['PAAGAAR'],
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => splitList(value))
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @IsIn(FASER, { each: true, message: `must be of ${FASER.join(', ')}` })
  faser?: Fase[];

  @ApiPropertyOptional({
    format: 'date',
    description:
      'The day that phases are of: that of `tidspunkt`, as when absent, or the last of one of the 36 months before. Goes with `faser` or `per=FASE`',
  })
  @IsOptional()
  @IsDato()
  dato?: string;

  @ApiPropertyOptional({
    enum: ['MAANED'],
    enumName: 'Statistikkserie',
    description:
      'MAANED: also month by month, up to `dato`. A month is those who are in the phases on its last day, as it is known at `tidspunkt`. Goes with `faser` or `per=FASE`',
  })
  @IsOptional()
  @IsIn(['MAANED'], { message: 'must be MAANED' })
  serie?: 'MAANED';

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_MONTHS,
    default: 12,
    description: 'How many months the series has',
  })
  @IsOptional()
  @IntegerParam()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(MAX_MONTHS, { message: `must be at most ${String(MAX_MONTHS)}` })
  maaneder?: number;
}

function splitList(value: unknown): unknown {
  return (Array.isArray(value) ? value : [value]).flatMap((part: unknown) =>
    typeof part === 'string' ? part.split(',') : [part],
  );
}

@ApiSchema({ name: 'Statistikkcelle' })
export class StatistikkcelleDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'A Tiltakstype, an AvtaleStatus, an organisation number, a month (YYYY-MM) or a Fase; null: not given',
    example: 'SOMMERJOBB',
  })
  verdi: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'Of what is counted by as well; absent when it is one thing only',
    example: 'PAAGAAR',
  })
  verdi2?: string | null;

  @ApiProperty({
    type: 'integer',
    minimum: 5,
    description: 'How many, or a number told before that is less than 5 from it',
    example: 120,
  })
  antall: number;
}

const CELLS = 'The largest first, 1,000 at most';
const OTHERS = {
  type: 'integer',
  nullable: true,
  minimum: 0,
  description:
    'Avtaler in all groups that are not shown: those under 5, and as many more as it takes to hide them; 0 when that is less than 5. null: there are so few in all that not even this is told; always so of DELTAKERE, who may be in several groups, and with hovedenhet',
  example: 9,
} as const;

@ApiSchema({ name: 'Statistikkpunkt' })
export class StatistikkpunktDto {
  @ApiProperty({ format: 'date', description: 'The day that phases are of', example: '2026-01-31' })
  dato: string;

  @ApiProperty({ type: [StatistikkcelleDto], description: CELLS })
  celler: StatistikkcelleDto[];

  @ApiProperty(OTHERS)
  ovrige: number | null;
}

@ApiSchema({ name: 'Statistikk' })
export class StatistikkDto {
  @ApiProperty({ enum: GROUPINGS, enumName: 'Inndeling', description: 'What is counted by', example: 'TILTAKSTYPE' })
  per: Grouping;

  @ApiPropertyOptional({ enum: GROUPINGS, enumName: 'Inndeling', description: 'And by this', example: 'FASE' })
  per2?: Grouping;

  @ApiPropertyOptional({ enum: UNITS, enumName: 'Statistikkenhet', description: 'What is counted', example: 'AVTALER' })
  enhet?: Unit;

  @ApiPropertyOptional({
    format: 'date-time',
    description:
      'The moment that the figures are of, the same for all who ask: 05:00 in Oslo, or soon after, until the next day. Absent when there are no figures yet',
    example: '2026-01-31T04:00:03.123Z',
  })
  tidspunkt?: string;

  @ApiPropertyOptional({
    format: 'date',
    description: 'The day that phases are of; absent when they are not looked at',
    example: '2026-01-31',
  })
  dato?: string;

  @ApiProperty({ type: [StatistikkcelleDto], description: CELLS })
  celler: StatistikkcelleDto[];

  @ApiProperty(OTHERS)
  ovrige: number | null;

  @ApiPropertyOptional({ type: [StatistikkpunktDto], description: 'The months asked for, the latest last' })
  serie?: StatistikkpunktDto[];
}
