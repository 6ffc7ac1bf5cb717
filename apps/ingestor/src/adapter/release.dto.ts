import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { ADAPTER_ID } from './contract.dto.ts';

/** From a list: what people write may be about persons. */
export const RELEASE_REASONS = ['NY_KLIENT', 'FEIL_KLIENT', 'AVVIKLET'] as const;

@ApiSchema({ name: 'FrigiKontrakt' })
export class FrigiKontraktDto {
  @ApiProperty({ description: 'Whose contract is meant', example: 'demo-fylke-adapter', pattern: ADAPTER_ID })
  @Matches(new RegExp(ADAPTER_ID), { message: 'must be the adapterId of the contract' })
  adapterId: string;

  @ApiProperty({
    enum: RELEASE_REASONS,
    description:
      'Why. NY_KLIENT: another client takes over. FEIL_KLIENT: the wrong one set it. AVVIKLET: the adapter is no more',
  })
  @IsIn(RELEASE_REASONS)
  aarsak: (typeof RELEASE_REASONS)[number];
}
