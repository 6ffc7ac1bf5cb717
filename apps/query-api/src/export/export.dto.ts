import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { GRANTABLE_FIELDS, type AvtaleField } from '@tiltak/avtale';
import { IsOptional } from 'class-validator';
import { HasFields, SplitList } from '../shared/lists.ts';
import { IsAbonnementsnavn, SUBSCRIPTION_NAME } from '../subscriptions/subscription-name.ts';

export class EksportSporringDto {
  @ApiPropertyOptional({
    enum: GRANTABLE_FIELDS,
    enumName: 'Avtalefelt',
    isArray: true,
    minItems: 1,
    uniqueItems: true,
    description:
      'The fields of each avtale, `felter=avtaleId,startDato` or each by itself. No others are read, and only these need a grant; each line is then an `Utdrag`, without links',
  })
  @SplitList()
  @IsOptional()
  @HasFields(GRANTABLE_FIELDS)
  felter?: AvtaleField[];

  @ApiPropertyOptional({ ...SUBSCRIPTION_NAME, description: 'Only the avtaler that this abonnement is of' })
  @IsOptional()
  @IsAbonnementsnavn()
  abonnement?: string;
}

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
