import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { TILTAKSTYPER, UKJENT, type Tiltakstype } from '@tiltak/avtale';
import { STATES } from './coverage.ts';

@ApiSchema({ name: 'Tiltakstypedekning' })
export class KindCoverageDto {
  @ApiProperty({
    enum: TILTAKSTYPER,
    enumName: 'Tiltakstype',
    description: 'Kind of measure',
    example: 'SOMMERJOBB',
  })
  tiltakstype: Tiltakstype;

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    description: 'First day of it; null with FULLT: from the start, with IKKE: not yet',
    example: '2021-01-01',
  })
  masterFra: string | null;

  @ApiProperty({
    enum: [...STATES, UKJENT],
    enumName: 'Dekningstilstand',
    description:
      "Whether this organisation's source is the master of the kind. FULLT: of all of it. DELVIS: it is being moved here, and some of it lives elsewhere. IKKE: it lives elsewhere",
    example: 'FULLT',
  })
  tilstand: (typeof STATES)[number];
}

@ApiSchema({ name: 'Dekning' })
export class CoverageDto {
  @ApiProperty({
    type: [KindCoverageDto],
    description: 'The kinds that the organisation has said something of; of others nothing is known',
  })
  dekning: KindCoverageDto[];
}
