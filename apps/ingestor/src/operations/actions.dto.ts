import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Driftshandling' })
export class HandlingDto {
  @ApiProperty()
  id: string;

  @ApiProperty({ format: 'date-time' })
  tidspunkt: string;

  @ApiProperty({ description: 'Nav ident of the person' })
  hvem: string;

  @ApiProperty({ description: 'The client (azp)' })
  klient: string;

  @ApiProperty({ example: 'SPILL_AV' })
  handling: string;

  @ApiProperty({ type: 'string', nullable: true, description: 'To what: an id or a reason' })
  gjelder: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'To how many; null while it goes on' })
  antall: number | null;

  @ApiProperty()
  callId: string;
}

@ApiSchema({ name: 'Driftshandlinger' })
export class HandlingerDto {
  @ApiProperty({ type: [HandlingDto], description: 'Newest first' })
  handlinger: HandlingDto[];

  @ApiPropertyOptional({ description: 'The next page; absent on the last one' })
  neste?: string;
}
