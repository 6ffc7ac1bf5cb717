import { TILTAKSTYPER, UKJENT, UUID, type Tiltakstype } from '@tiltak/avtale';
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { NestedObject } from '@tiltak/platform';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsOptional } from 'class-validator';
import {
  IsAvtaleIder,
  IsBedriftsnumre,
  IsOrganisasjonsnumre,
  IsPersonidenter,
  ORGANISASJONSNUMMER,
} from '../shared/lists.ts';
import { IsAbonnementsnavn, NAME_WITH_EXAMPLE } from './subscription-name.ts';

/** In one call: a body holds 1 MiB. More of them come by endreMedlemmer. */
const MAX_AT_ONCE = 20_000;
/** Each brings all establishments below it. */
const MAX_HOVEDENHETER_AT_ONCE = 1_000;

const KINDS = TILTAKSTYPER.filter((kind) => kind !== UKJENT);

const list = (form: Record<string, unknown>): object => ({
  type: 'array',
  minItems: 1,
  maxItems: MAX_AT_ONCE,
  items: { type: 'string', ...form },
});

export class SubscriptionNameDto {
  @ApiProperty(NAME_WITH_EXAMPLE)
  @IsAbonnementsnavn()
  navn: string;
}

@ApiSchema({ name: 'Abonnementsmedlemmer' })
export class MembersDto {
  @ApiPropertyOptional({
    ...list({ pattern: '^[0-9]{11}$' }),
    description: 'All national idents that the persons have: of one with several, whichever of them the avtaler bear',
  })
  @IsOptional()
  @IsPersonidenter(MAX_AT_ONCE)
  personidenter?: string[];

  @ApiPropertyOptional({
    ...list({ format: 'uuid', pattern: UUID.source }),
    description: 'Avtaler, also such as are not known yet',
    example: ['04d0033c-754b-4daa-b5ff-6531dc64582c'],
  })
  @IsOptional()
  @IsAvtaleIder(MAX_AT_ONCE)
  avtaleIder?: string[];

  @ApiPropertyOptional({
    ...list({ minLength: 1, maxLength: 20 }),
    description: 'Employers',
    example: ['910825518'],
  })
  @IsOptional()
  @IsBedriftsnumre(MAX_AT_ONCE)
  bedriftsnumre?: string[];

  @ApiPropertyOptional({
    type: [String],
    enum: KINDS,
    enumName: 'Abonnementstype',
    minItems: 1,
    uniqueItems: true,
    description: 'Kinds of measure: every avtale of them',
    example: ['MENTOR'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique({ message: 'must not name a kind twice' })
  @IsIn(KINDS, { each: true, message: `must be of ${KINDS.join(', ')}` })
  tiltakstyper?: Tiltakstype[];

  @ApiPropertyOptional({
    type: 'array',
    minItems: 1,
    maxItems: MAX_HOVEDENHETER_AT_ONCE,
    items: ORGANISASJONSNUMMER,
    description:
      'Units, also such as are not known yet: their avtaler and those of all establishments below them, at whatever level, as virksomheter say at any time. What an establishment brings that comes there is told of as of a new member, and what goes with one that moves away is UTENFOR. Needs the field hovedenhet',
    example: ['910712217'],
  })
  @IsOptional()
  @IsOrganisasjonsnumre(MAX_HOVEDENHETER_AT_ONCE)
  hovedenheter?: string[];
}

@ApiSchema({ name: 'Medlemsendring' })
export class MemberChangesDto {
  @ApiPropertyOptional({ type: MembersDto, description: 'Those that are there already stay' })
  @IsOptional()
  @NestedObject(() => MembersDto)
  leggTil?: MembersDto;

  @ApiPropertyOptional({ type: MembersDto, description: 'Those that are not there are no error' })
  @IsOptional()
  @NestedObject(() => MembersDto)
  fjern?: MembersDto;
}

@ApiSchema({ name: 'Abonnement' })
export class SubscriptionDto {
  @ApiProperty({ description: 'Your name for it, within the behandlingsgrunnlag', example: 'mine-brukere' })
  navn: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Idents of persons', example: 200 })
  antallPersonidenter: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Avtaler', example: 0 })
  antallAvtaler: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Employers', example: 2 })
  antallBedrifter: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Kinds of measure', example: 0 })
  antallTiltakstyper: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Units that are followed with all below them, which are not counted',
    example: 0,
  })
  antallHovedenheter: number;

  @ApiProperty({ format: 'date-time', description: 'When it was made', example: '2026-02-04T08:46:40.1Z' })
  opprettet: string;

  @ApiProperty({
    format: 'date-time',
    description: 'When its members were last sent',
    example: '2026-02-04T08:46:40.1Z',
  })
  endret: string;

  @ApiProperty({
    format: 'date-time',
    description: 'When it was last used, by the hour. It is removed 90 days after that',
    example: '2026-02-04T08:46:40.1Z',
  })
  sistBrukt: string;
}
