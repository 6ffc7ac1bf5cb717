import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { STATES, type State } from '../condition/checks.ts';

@ApiSchema({ name: 'Kortsjekk' })
export class KortsjekkDto {
  @ApiProperty({ example: 'DataErGamle' })
  kode: string;

  @ApiProperty({ enum: STATES })
  tilstand: State;
}

@ApiSchema({ name: 'Organisasjonstilstand' })
export class OrganisasjonDto {
  @ApiProperty({ example: 'nav' })
  navn: string;

  @ApiProperty({ description: 'Where its own page is, for those on duty there' })
  side: string;

  @ApiPropertyOptional({ enum: STATES, description: 'Absent when it does not answer' })
  tilstand?: State;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  dataOppdatert: string | null;

  @ApiProperty({ type: [KortsjekkDto] })
  sjekker: KortsjekkDto[];
}

@ApiSchema({ name: 'Organisasjoner' })
export class OrganisasjonerDto {
  @ApiProperty({ type: [OrganisasjonDto], description: 'Those of DRIFT_ORGANISASJONER' })
  organisasjoner: OrganisasjonDto[];
}
