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

@ApiSchema({ name: 'Hull' })
export class HullDto {
  @ApiProperty({ description: 'The topic that had removed messages before they were read' })
  topic: string;

  @ApiProperty({ type: 'integer' })
  partisjon: number;

  @ApiProperty({ type: 'integer', description: 'The first that is lost' })
  fraOffset: number;

  @ApiProperty({
    type: 'integer',
    description: 'The first after that which is not; a compacted topic had fewer between',
  })
  tilOffset: number;

  @ApiProperty({ type: 'string', format: 'date-time' })
  oppdaget: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'Data-Oppdatert promises no more' })
  oppdatertTil: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'null: it is open' })
  lukket: string | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'The reconciliation that made up for it' })
  lukketAv: string | null;
}

@ApiSchema({ name: 'Topicepoke' })
export class TopicepokeDto {
  @ApiProperty()
  topic: string;

  @ApiProperty({ description: "Its id, as Kafka's tools show it: one that is made anew has another" })
  topicId: string;

  @ApiProperty({ type: 'integer', description: 'What lies on a topic comes after all of those with a lower number' })
  epoke: number;

  @ApiProperty({ type: 'string', format: 'date-time', description: 'When it was first read' })
  foerstSett: string;
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

  @ApiProperty({
    type: [HullDto],
    required: false,
    description: 'What was lost: all that is open, and the last that was closed',
  })
  hull?: HullDto[];

  @ApiProperty({
    type: [TopicepokeDto],
    required: false,
    description: 'The topics that have had the name, newest first',
  })
  topicer?: TopicepokeDto[];

  @ApiProperty({ type: [ParkertTellingDto], description: 'Messages that wait for somebody, by reason' })
  parkerte: ParkertTellingDto[];

  @ApiProperty({
    nullable: true,
    allOf: [{ $ref: getSchemaPath(AdapterstatusDto) }],
    description: "The organisation's adapter; null when it has none",
  })
  adapter: AdapterstatusDto | null;
}
