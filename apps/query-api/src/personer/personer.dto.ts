import { AVTALESTATUSER, TILTAKSTYPER, type AvtaleStatus, type Tiltakstype } from '@tiltak/avtale';
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { described, IDENT_LIST } from '../avtaler/avtaler.dto.ts';
import { IsDato, IsPast, IsTidspunkt } from '../shared/dates.ts';
import { IsPersonidenter } from '../shared/lists.ts';

@ApiSchema({ name: 'TiltaksstatusSporring' })
export class TiltaksstatusSporringDto {
  @ApiProperty({ ...IDENT_LIST, description: 'National idents' })
  @IsPersonidenter()
  personidenter: string[];

  @ApiPropertyOptional({
    format: 'date',
    description: 'The day asked about; when absent today in Oslo, or the day of gjeldendePer',
    example: '2022-03-01',
  })
  @IsOptional()
  @IsDato()
  dato?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: described(
      'gjeldendePer',
      'Answer as the system knew it at this moment, not in the future. Without avtaler that have been erased since',
    ),
    example: '2026-01-31T10:00:00Z',
  })
  @IsOptional()
  @IsTidspunkt()
  @IsPast()
  gjeldendePer?: string;
}

@ApiSchema({ name: 'Tiltak' })
export class TiltakDto {
  @ApiPropertyOptional({
    enum: TILTAKSTYPER,
    enumName: 'Tiltakstype',
    description: 'Kind of measure',
    example: 'ARBEIDSTRENING',
  })
  tiltakstype?: Tiltakstype;

  @ApiPropertyOptional({
    enum: AVTALESTATUSER,
    enumName: 'AvtaleStatus',
    description: 'Status of the avtale, as of now or of gjeldendePer',
    example: 'GJENNOMFORES',
  })
  avtaleStatus?: AvtaleStatus;

  @ApiProperty({ format: 'date', description: 'First day', example: '2022-02-01' })
  startDato: string;

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    description: 'Last day; null when it has no end yet',
    example: '2022-07-31',
  })
  sluttDato: string | null;
}

@ApiSchema({ name: 'Tiltaksstatus' })
export class TiltaksstatusDto {
  @ApiProperty({ description: 'The ident asked for' })
  personident: string;

  @ApiProperty({ description: 'Whether the person is on a measure that day', example: true })
  paaTiltak: boolean;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'How many measures the person is on that day', example: 1 })
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

  @ApiProperty({ type: [TiltakDto], description: 'The measures, earliest first' })
  tiltak: TiltakDto[];
}

@ApiSchema({ name: 'Tiltaksstatuser' })
export class TiltaksstatuserDto {
  @ApiProperty({ format: 'date', description: 'The day answered for', example: '2022-03-01' })
  dato: string;

  @ApiProperty({ type: [TiltaksstatusDto], description: 'One for each ident asked for, in that order' })
  personer: TiltaksstatusDto[];
}
