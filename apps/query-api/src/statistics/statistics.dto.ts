import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsIn } from 'class-validator';

export const GROUPINGS = ['TILTAKSTYPE', 'STATUS', 'BEDRIFT', 'MAANED'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export class StatistikkSporringDto {
  @ApiProperty({
    enum: GROUPINGS,
    enumName: 'Inndeling',
    description: 'What to count by. MAANED is the month in which they start',
    example: 'TILTAKSTYPE',
  })
  @IsIn(GROUPINGS, { message: `must be one of ${GROUPINGS.join(', ')}` })
  per: Grouping;
}

@ApiSchema({ name: 'Statistikkcelle' })
export class StatistikkcelleDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'A Tiltakstype, an AvtaleStatus, an organisation number, or a month (YYYY-MM); null: not given',
    example: 'SOMMERJOBB',
  })
  verdi: string | null;

  @ApiProperty({ type: 'integer', minimum: 5, description: 'Avtaler', example: 120 })
  antall: number;
}

@ApiSchema({ name: 'Statistikk' })
export class StatistikkDto {
  @ApiProperty({ enum: GROUPINGS, enumName: 'Inndeling', description: 'What is counted by', example: 'TILTAKSTYPE' })
  per: Grouping;

  @ApiProperty({ type: [StatistikkcelleDto], description: 'The largest first, 1,000 at most' })
  celler: StatistikkcelleDto[];

  @ApiProperty({
    type: 'integer',
    nullable: true,
    minimum: 0,
    description:
      'Avtaler in all groups that are not shown: those under 5, and as many more as it takes to hide them. null: there are so few in all that not even this is told',
    example: 9,
  })
  ovrige: number | null;
}
