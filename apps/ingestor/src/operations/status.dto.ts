import { ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { AdapterstatusDto } from '../adapter/contract.dto.ts';

@ApiSchema({ name: 'Partisjonsstatus' })
export class PartisjonsstatusDto {
  @ApiProperty({ type: 'integer' })
  partisjon: number;

  @ApiProperty({ type: 'integer', description: 'Where consumption goes on' })
  nesteOffset: number;

  @ApiProperty({ type: 'integer', nullable: true, description: 'The end of the partition when last measured' })
  sluttOffset: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Consumer lag, offsets' })
  etterslep: number | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'Included up to this moment' })
  oppdatertTil: string | null;
}

@ApiSchema({ name: 'ParkertTelling' })
export class ParkertTellingDto {
  @ApiProperty()
  kode: string;

  @ApiProperty({ type: 'string', nullable: true })
  felt: string | null;

  @ApiProperty({ type: 'integer' })
  antall: number;
}

@ApiExtraModels(AdapterstatusDto)
@ApiSchema({ name: 'Driftsstatus' })
export class StatusDto {
  @ApiProperty()
  organisasjon: string;

  @ApiProperty()
  topic: string;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Everything up to this is included',
  })
  dataOppdatert: string | null;

  @ApiProperty({ type: [PartisjonsstatusDto] })
  partisjoner: PartisjonsstatusDto[];

  @ApiProperty({ type: [ParkertTellingDto], description: 'Messages that wait for somebody, by reason' })
  parkerte: ParkertTellingDto[];

  @ApiProperty({
    nullable: true,
    allOf: [{ $ref: getSchemaPath(AdapterstatusDto) }],
    description: "The organisation's adapter; null when it has none",
  })
  adapter: AdapterstatusDto | null;
}
