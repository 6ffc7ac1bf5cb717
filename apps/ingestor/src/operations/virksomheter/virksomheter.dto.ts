import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { STATES, type State } from '../condition/checks.ts';
import { PartisjonsstatusDto } from '../status.dto.ts';

const COUNT = { type: 'integer', minimum: 0, example: 0 } as const;

@ApiSchema({ name: 'Virksomhetsstatus' })
export class VirksomhetsstatusDto {
  @ApiProperty({ type: 'string', nullable: true, description: 'null: VIRKSOMHET_TOPIC is not set, none is kept here' })
  topic: string | null;

  @ApiProperty({ enum: STATES, description: 'OBS: somebody should look' })
  tilstand: State;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Everything up to this is included; null before the first load is done',
  })
  dataOppdatert: string | null;

  @ApiProperty({ type: [PartisjonsstatusDto] })
  partisjoner: PartisjonsstatusDto[];

  @ApiProperty({ ...COUNT, description: 'That avtaler or virksomheter name, and that are not here' })
  manglende: number;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description:
      'When the one that has been missing for longest was first found so; looked for each quarter of an hour',
  })
  eldsteManglende: string | null;

  @ApiProperty({ ...COUNT, description: 'Avtaler whose employer is missing' })
  avtalerMedManglende: number;

  @ApiProperty({
    ...COUNT,
    description: 'Whose chain leads into a cycle, or is longer than 20: they have no hovedenhet',
  })
  utenHovedenhet: number;

  @ApiProperty({ ...COUNT, description: 'With another hovedenhet, whose avtaler the change feed has not told of yet' })
  ikkeVarslet: number;

  @ApiProperty({ ...COUNT, description: 'Messages of the topic that wait for somebody' })
  parkerte: number;

  @ApiProperty({ ...COUNT, description: 'Times that messages of the topic were lost, and not made up for' })
  hull: number;
}

const MISSING_PLACE = /^\d{1,18}\.\d{9}$/;
const NUMBER = /^\d{9}$/;

const describesPage = {
  type: 'integer',
  minimum: 1,
  maximum: 100,
  default: 50,
  example: 50,
  description: 'How many on a page',
} as const;

@ApiSchema({ name: 'ListManglende' })
export class ListManglendeDto {
  @ApiPropertyOptional(describesPage)
  @IsInt()
  @Min(1)
  @Max(100)
  antall: number = 50;

  @ApiPropertyOptional({ pattern: MISSING_PLACE.source, description: '`neste` of the page before' })
  @IsOptional()
  @Matches(MISSING_PLACE, { message: 'must be the neste of a page' })
  neste?: string;
}

@ApiSchema({ name: 'ListUtenHovedenhet' })
export class ListUtenHovedenhetDto {
  @ApiPropertyOptional(describesPage)
  @IsInt()
  @Min(1)
  @Max(100)
  antall: number = 50;

  @ApiPropertyOptional({ pattern: NUMBER.source, description: '`neste` of the page before' })
  @IsOptional()
  @Matches(NUMBER, { message: 'must be the neste of a page' })
  neste?: string;
}

@ApiSchema({ name: 'ManglendeVirksomhet' })
export class ManglendeVirksomhetDto {
  @ApiProperty({ pattern: NUMBER.source, example: '910825518' })
  organisasjonsnummer: string;

  @ApiProperty({ type: 'string', format: 'date-time', description: 'When it was first found missing' })
  siden: string;

  @ApiProperty({ ...COUNT, description: 'Avtaler that name it as their employer' })
  avtaler: number;

  @ApiProperty({ ...COUNT, description: 'Virksomheter that name it as what is right above them' })
  virksomheter: number;
}

@ApiSchema({ name: 'ManglendeVirksomhetSide' })
export class ManglendeVirksomhetSideDto {
  @ApiProperty({ type: [ManglendeVirksomhetDto], description: 'Those that have been missing for longest first' })
  manglende: ManglendeVirksomhetDto[];

  @ApiPropertyOptional({ description: 'The next page; absent on the last one' })
  neste?: string;
}

export const WITHOUT_HOVEDENHET_REASONS = ['SIRKEL', 'FOR_MANGE_NIVAAER'] as const;

@ApiSchema({ name: 'VirksomhetUtenHovedenhet' })
export class VirksomhetUtenHovedenhetDto {
  @ApiProperty({ pattern: NUMBER.source, example: '910825518' })
  organisasjonsnummer: string;

  @ApiProperty({ enum: WITHOUT_HOVEDENHET_REASONS, description: 'SIRKEL: it leads into a cycle, or is in one' })
  aarsak: (typeof WITHOUT_HOVEDENHET_REASONS)[number];

  @ApiProperty({
    type: [String],
    description: 'From it upwards; of a cycle up to the first that comes again, else at most 100 levels',
    example: ['910825518', '910712217', '910825518'],
  })
  kjede: string[];
}

@ApiSchema({ name: 'VirksomhetUtenHovedenhetSide' })
export class VirksomhetUtenHovedenhetSideDto {
  @ApiProperty({ type: [VirksomhetUtenHovedenhetDto], description: 'In the order of their numbers' })
  virksomheter: VirksomhetUtenHovedenhetDto[];

  @ApiPropertyOptional({ description: 'The next page; absent on the last one' })
  neste?: string;
}
