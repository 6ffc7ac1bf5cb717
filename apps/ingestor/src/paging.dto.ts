import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IntegerParam } from '@tiltak/platform';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

/** The ids of rows that are numbered. */
export const ID = /^\d{1,18}$/;

export class IdDto {
  @ApiProperty({ pattern: ID.source, description: 'As the list of them gives it', example: '17' })
  @Matches(ID, { message: 'must be a whole number' })
  id: string;
}

export class PageDto {
  @ApiPropertyOptional({ pattern: ID.source, description: 'Where to go on: `neste` of the page before', example: '17' })
  @IsOptional()
  @Matches(ID, { message: 'must be the neste of a page' })
  neste?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 200, default: 50, example: 50 })
  @IntegerParam()
  @IsInt()
  @Min(1)
  @Max(200)
  antall: number = 50;
}
