import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, Matches } from 'class-validator';
import { RESOURCES } from '../resources/resources.ts';

export const AVTALER = 'avtaler';
/** With the person register, where it is read. */
export const OTHERS = [...RESOURCES.map(({ resource }) => resource.name), 'identer'];
export const RESOURCE_NAME = /^[a-z]{1,50}$/;

/** Of what: another resource has it where its topic is set. */
export class RessursDto {
  @ApiPropertyOptional({
    enum: [AVTALER, ...OTHERS],
    default: AVTALER,
    description: 'What it is about; another than avtaler only where the ingestor has its topic',
  })
  @IsOptional()
  @Matches(RESOURCE_NAME, { message: 'must be the name of a resource' })
  ressurs: string = AVTALER;
}
