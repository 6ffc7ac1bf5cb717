import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional } from 'class-validator';

export class KontrollerRelasjonerDto {
  @ApiPropertyOptional({ type: 'boolean', default: false, description: 'Put right what differs' })
  @IsOptional()
  @IsBoolean()
  rett?: boolean;
}

@ApiSchema({ name: 'Relasjonskontroll' })
export class RelasjonskontrollDto {
  @ApiProperty({ example: '17' })
  id: string;

  @ApiProperty({ type: 'string', format: 'date-time' })
  bestilt: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  startet: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'null: not done yet' })
  avsluttet: string | null;

  @ApiProperty({ description: 'It ended without a result; the log tells why' })
  feilet: boolean;

  @ApiProperty({ description: 'Nav ident of who asked for it; tidsplan: it was time' })
  startetAv: string;

  @ApiProperty({ description: 'What differed was put right' })
  rett: boolean;

  @ApiProperty({ type: 'integer', description: 'Participants whose relations were computed anew' })
  deltakere: number;

  @ApiProperty({ type: 'integer', description: 'Links that should have been stored' })
  mangler: number;

  @ApiProperty({ type: 'integer', description: 'Links that should not' })
  overfloedige: number;
}

@ApiSchema({ name: 'RelasjonskontrollSide' })
export class RelasjonskontrollSideDto {
  @ApiProperty({ type: [RelasjonskontrollDto] })
  kontroller: RelasjonskontrollDto[];

  @ApiPropertyOptional({ description: 'The next page; absent on the last one' })
  neste?: string;
}

@ApiSchema({ name: 'BestiltRelasjonskontroll' })
export class BestiltRelasjonskontrollDto {
  @ApiProperty({ example: '17' })
  id: string;
}

export const REPORT_FORMS = ['CSV', 'JSON'] as const;

export class RapportQueryDto {
  @ApiPropertyOptional({
    enum: REPORT_FORMS,
    default: 'CSV',
    description: 'CSV: a line for each that differs, in UTF-8',
  })
  @IsOptional()
  @IsIn(REPORT_FORMS)
  form: (typeof REPORT_FORMS)[number] = 'CSV';
}
