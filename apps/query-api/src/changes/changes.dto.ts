import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { AvtaleField } from '@tiltak/avtale';
import { IntegerParam, ProblemDto } from '@tiltak/platform';
import { LenkeDto, UtdragDto } from '../avtaler/avtaler.dto.ts';
import { IsAbonnementsnavn, SUBSCRIPTION_NAME } from '../subscriptions/subscription-name.ts';
import { NotTogetherWith } from '../shared/together.ts';

export const CHANGE_TYPES = ['ENDRET', 'SLETTET', 'UTENFOR', 'UKJENT'] as const;
export const DELETE_REASONS = ['SLETTET', 'FEILREGISTRERT', 'UKJENT'] as const;

@ApiSchema({ name: 'EndringLenker' })
export class EndringLenkerDto {
  @ApiPropertyOptional({ type: LenkeDto, description: 'The avtale as it is now; absent when it is gone' })
  avtale?: LenkeDto;
}

@ApiSchema({ name: 'Endring' })
export class EndringDto {
  @ApiProperty({
    format: 'uuid',
    description: 'The avtale that changed',
    example: '04d0033c-754b-4daa-b5ff-6531dc64582c',
  })
  avtaleId: string;

  @ApiProperty({
    enum: CHANGE_TYPES,
    enumName: 'Endringstype',
    description:
      'ENDRET: new, changed, or its links changed: read it again. SLETTET: it is gone: forget it. UTENFOR: it is no longer of the abonnement: forget it',
    example: 'ENDRET',
  })
  type: (typeof CHANGE_TYPES)[number];

  @ApiPropertyOptional({
    enum: DELETE_REASONS,
    enumName: 'Sletteaarsak',
    description: 'Why it is gone; only for SLETTET',
    example: 'FEILREGISTRERT',
  })
  aarsak?: (typeof DELETE_REASONS)[number];

  @ApiProperty({
    format: 'date-time',
    description: 'When this system learned of it',
    example: '2026-02-04T08:46:40.1Z',
  })
  tidspunkt: string;

  @ApiPropertyOptional({
    type: [String],
    description:
      'Only with abonnement, of ENDRET: the granted fields that have another value than before; all of them when it is new to the abonnement, none when what changed is its links, or fields that you are not granted. fase: what it is worked out of is another',
    example: ['avtaleStatus', 'versjon', 'sistEndret'],
  })
  endret?: AvtaleField[];

  @ApiPropertyOptional({
    type: UtdragDto,
    description:
      'Only with abonnement, of ENDRET: the granted fields, as they were after this change. Absent when that is no longer kept: what became of it comes later',
  })
  avtale?: UtdragDto;

  @ApiProperty({ type: EndringLenkerDto, description: 'Where to go from here (HAL)' })
  _links: EndringLenkerDto;
}

@ApiSchema({ name: 'Endringsside' })
export class EndringssideDto {
  @ApiProperty({ type: [EndringDto], description: 'In the order of the feed; empty at its end' })
  endringer: EndringDto[];

  @ApiProperty({
    description: 'Where to go on: the `etter` of the next call, also when nothing new came. Opaque',
    example: 'N2Y5YzJlMTAuMmMuMWYuOWIwM2M3ZGE',
  })
  posisjon: string;

  @ApiProperty({ description: 'There may be more right away; false at the end of the feed', example: false })
  flere: boolean;
}

export class EndringerDto {
  @ApiPropertyOptional({
    maxLength: 300,
    description:
      'Position from the page before, or from the first line of an export, of the same abonnement if there is one; from the beginning when absent. The beginning of an abonnement is all that it is of now',
  })
  @IsOptional()
  @IsString()
  @MaxLength(300)
  etter?: string;

  @ApiPropertyOptional({
    enum: ['naa'],
    enumName: 'Startsted',
    description: 'Begins with what changes from now on: the answer is the position of now, without changes',
  })
  @IsOptional()
  @IsIn(['naa'], { message: 'must be naa' })
  @NotTogetherWith('etter')
  fra?: 'naa';

  @ApiPropertyOptional({
    ...SUBSCRIPTION_NAME,
    description: 'Only what this abonnement is of, with what the avtaler say',
  })
  @IsOptional()
  @IsAbonnementsnavn()
  abonnement?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 100,
    description: 'Changes on a page',
    example: 100,
  })
  @IntegerParam()
  @IsInt()
  @Min(1)
  @Max(1_000)
  antall: number = 100;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 30,
    default: 0,
    description: 'At the end of the feed: how long to wait for something new, in seconds',
    example: 0,
  })
  @IntegerParam()
  @IsInt()
  @Min(0)
  @Max(30)
  ventSekunder: number = 0;
}

@ApiSchema({ name: 'NyStart' })
export class NyStartDto {
  @ApiProperty({ description: 'For those who keep a copy: everything, and a new position', example: '/api/v1/eksport' })
  eksport: string;

  @ApiProperty({
    description:
      'For those who only want changes from now on; with abonnement: all that it is of now, and then what changes',
    example: '/api/v1/endringer?fra=naa',
  })
  endringer: string;
}

@ApiSchema({ name: 'UtgaattProblem' })
export class UtgaattProblemDto extends ProblemDto {
  @ApiProperty({ type: NyStartDto, description: 'Where to start again' })
  nyStart: NyStartDto;
}
