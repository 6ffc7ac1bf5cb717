import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { IsAbonnementsnavn, SUBSCRIPTION_NAME } from '../subscriptions/subscription-name.ts';

@ApiSchema({ name: 'Eksporthode', description: 'The first line of an export' })
export class EksporthodeDto {
  @ApiProperty({
    description: 'Where to go on with hentEndringer: everything before it is in the export',
    example: 'N2Y5YzJlMTAuMmMuMWYuOWIwM2M3ZGE',
  })
  posisjon: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Lines that follow; fewer: it was cut off', example: 304 })
  antall: number;
}

export class EksportDto {
  @ApiPropertyOptional({ ...SUBSCRIPTION_NAME, description: 'Only the avtaler that this abonnement is of' })
  @IsOptional()
  @IsAbonnementsnavn()
  abonnement?: string;
}
