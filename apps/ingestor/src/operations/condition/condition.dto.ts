import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IntegerParam } from '@tiltak/platform';
import { IsInt, Max, Min } from 'class-validator';
import { STATES, UNITS, type State, type Unit } from './checks.ts';

const STATE = { enum: STATES, description: 'BRA: as it should be. OBS: look at it. FEIL: somebody must do something' };

@ApiSchema({ name: 'Sjekk' })
export class SjekkDto {
  @ApiProperty({ description: 'What is looked at, by the name of its alert', example: 'DataErGamle' })
  kode: string;

  @ApiProperty(STATE)
  tilstand: State;

  @ApiProperty({ enum: UNITS })
  enhet: Unit;

  @ApiProperty({ type: 'number', nullable: true, description: 'null: not known', example: 0.4 })
  verdi: number | null;

  @ApiProperty({ description: 'More than this is not as it should be', example: 300 })
  grense: number;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'Since when, or as of when' })
  siden: string | null;
}

@ApiSchema({ name: 'Driftstilstand' })
export class TilstandDto {
  @ApiProperty()
  organisasjon: string;

  @ApiProperty({ type: 'string', format: 'date-time', description: "When this was read, by the database's clock" })
  lest: string;

  @ApiProperty({ ...STATE, description: 'That of the worst of them' })
  tilstand: State;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  dataOppdatert: string | null;

  @ApiProperty({ type: [SjekkDto] })
  sjekker: SjekkDto[];
}

export class MaalingerQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 24, default: 6, example: 6 })
  @IntegerParam()
  @IsInt()
  @Min(1)
  @Max(24)
  timer: number = 6;
}

@ApiSchema({ name: 'Driftsmaaling' })
export class MaalingDto {
  @ApiProperty({ type: 'string', format: 'date-time' })
  tidspunkt: string;

  @ApiProperty({ type: 'integer', description: 'Consumer lag, offsets' })
  etterslep: number;

  @ApiProperty({ type: 'number', nullable: true, description: 'Age of the data' })
  alderSekunder: number | null;

  @ApiProperty({ type: 'number', nullable: true, description: 'Offsets read a second since the measurement before' })
  perSekund: number | null;
}

@ApiSchema({ name: 'Driftsmaalinger' })
export class MaalingerDto {
  @ApiProperty({ type: [MaalingDto], description: 'Oldest first, two a minute; those of a day are kept' })
  maalinger: MaalingDto[];
}
