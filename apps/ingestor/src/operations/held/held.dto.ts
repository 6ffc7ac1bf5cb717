import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Stanset' })
export class StansetDto {
  @ApiProperty({ example: '17' })
  id: string;

  @ApiProperty({ description: 'Topic, partition and offsets: where the batch lies on Kafka' })
  topic: string;

  @ApiProperty({ type: 'integer' })
  partisjon: number;

  @ApiProperty({ type: 'integer', description: 'The first offset of the batch that has not been read' })
  fraOffset: number;

  @ApiProperty({ type: 'integer', description: 'The last offset of the batch' })
  tilOffset: number;

  @ApiProperty({ description: 'Why it can not be read; nothing of its content' })
  aarsak: string;

  @ApiProperty({ type: 'integer', description: 'The size of the batch as it lies on the topic' })
  byte: number;

  @ApiProperty({ format: 'date-time', description: 'Since when the partition stands still' })
  stanset: string;

  @ApiProperty({ format: 'date-time', description: 'When it was last fetched and tried again' })
  forsoekt: string;
}

@ApiSchema({ name: 'Stansede' })
export class StansedeDto {
  @ApiProperty({ type: [StansetDto], description: 'At most one for each partition' })
  stansede: StansetDto[];
}

@ApiSchema({ name: 'StansetParkert' })
export class StansetParkertDto {
  @ApiProperty({ description: 'The id that it has among the parked messages', example: '18' })
  parkert: string;
}
