import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { VIRKSOMHETER, type VirksomhetField } from '@tiltak/virksomhet';
import { SidemetadataDto } from './sync.dto.ts';
import { MAX_RESOURCES } from './sync-page.ts';

const ORGANISASJONSNUMMER = '^[0-9]{9}$';
const EXAMPLE_NUMBER = '999999999';

/** A text of the table: what it means and how long it may be. */
function textOf(field: VirksomhetField): { type: 'string'; nullable: true; description: string; maxLength?: number } {
  const entry = VIRKSOMHETER.fields[field];
  return {
    type: 'string',
    nullable: true,
    description: entry.meaning,
    ...('maxLength' in entry ? { maxLength: entry.maxLength } : {}),
  };
}

/** What an adapter tells of a unit of the register. */
@ApiSchema({
  name: 'Virksomhetsressurs',
  description:
    'Fields that are not named here are not passed on: they are named in the answer, or the page is refused, as the contract says (`ukjenteFelter`).',
})
export class VirksomhetsressursDto {
  @ApiProperty({
    pattern: ORGANISASJONSNUMMER,
    description: 'The same as the id of the entry',
    example: EXAMPLE_NUMBER,
  })
  organisasjonsnummer: string;
  @ApiProperty({
    format: 'date-time',
    description:
      'When the register last changed it, UTC. Decides the order: the newest wins, an older one changes nothing. After a delete, only a newer one revives.',
    example: '2026-01-31T10:00:00.123456Z',
  })
  sistEndret: string;
  @ApiPropertyOptional({ ...textOf('navn'), example: 'Eksempelbedriften AS' }) navn?: string | null;
  @ApiPropertyOptional({ ...textOf('organisasjonsform'), example: 'BEDR' }) organisasjonsform?: string | null;
  @ApiPropertyOptional({ ...textOf('overordnetEnhet'), pattern: ORGANISASJONSNUMMER, example: EXAMPLE_NUMBER })
  overordnetEnhet?: string | null;
  @ApiPropertyOptional({ ...textOf('naeringskode'), example: '78.100' }) naeringskode?: string | null;
  @ApiPropertyOptional({ ...textOf('kommunenummer'), example: '0301' }) kommunenummer?: string | null;
  @ApiPropertyOptional({ ...textOf('slettetDato'), format: 'date', example: '2026-01-31' }) slettetDato?: string | null;
  @ApiPropertyOptional({ type: 'boolean', description: 'Deleted, in order with the changes' }) slettemerket?: boolean;
}

@ApiSchema({ name: 'Virksomhetsinnslag' })
export class VirksomhetsinnslagDto {
  @ApiProperty({ pattern: ORGANISASJONSNUMMER, description: 'organisasjonsnummer', example: EXAMPLE_NUMBER })
  id: string;
  @ApiProperty({ type: VirksomhetsressursDto, description: 'The unit as it is now' }) ressurs: VirksomhetsressursDto;
}

@ApiSchema({ name: 'Virksomhetsslettinnslag' })
export class VirksomhetsslettinnslagDto {
  @ApiProperty({ pattern: ORGANISASJONSNUMMER, description: 'organisasjonsnummer', example: EXAMPLE_NUMBER })
  id: string;
}

@ApiSchema({ name: 'Virksomhetsside' })
export class VirksomhetssideDto {
  @ApiProperty({ type: SidemetadataDto, description: 'Which page of which sync' }) metadata: SidemetadataDto;
  @ApiProperty({
    type: [VirksomhetsinnslagDto],
    maxItems: MAX_RESOURCES,
    description: 'Each id once; none in an empty full sync',
  })
  ressurser: VirksomhetsinnslagDto[];
}

@ApiSchema({ name: 'Virksomhetssletteside' })
export class VirksomhetsslettesideDto {
  @ApiProperty({ type: SidemetadataDto, description: 'Which page of which sync' }) metadata: SidemetadataDto;
  @ApiProperty({ type: [VirksomhetsslettinnslagDto], maxItems: MAX_RESOURCES, description: 'Each id once' })
  ressurser: VirksomhetsslettinnslagDto[];
}
