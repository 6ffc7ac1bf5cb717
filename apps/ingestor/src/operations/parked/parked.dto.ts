import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, Matches } from 'class-validator';
import { ID, PageDto } from '../../paging.dto.ts';
import {
  ALL_DISCARD_REASONS,
  DISCARD_REASONS,
  PARKED_STATES,
  REMOVAL_REASONS,
  type DiscardReason,
} from './parked.queries.ts';

const CODE = /^[A-Z_0-9]{1,40}$/;
const FIELD = /^[\wæøåÆØÅ]{1,60}$/;

export class ParkerteDto extends PageDto {
  @ApiPropertyOptional({ pattern: CODE.source, description: 'Reason', example: 'UGYLDIG_FELT' })
  @IsOptional()
  @Matches(CODE, { message: 'must be a reason, such as UGYLDIG_FELT' })
  kode?: string;

  @ApiPropertyOptional({
    pattern: FIELD.source,
    description: "The source's name of the field at fault",
    example: 'startDato',
  })
  @IsOptional()
  @Matches(FIELD, { message: 'must be the name of a field' })
  felt?: string;

  @ApiPropertyOptional({ enum: PARKED_STATES, description: 'State; every state when absent' })
  @IsOptional()
  @IsIn(PARKED_STATES)
  tilstand?: (typeof PARKED_STATES)[number];
}

@ApiSchema({ name: 'SpillAvFlere' })
export class SpillAvFlereDto {
  @ApiPropertyOptional({ pattern: CODE.source, description: 'Those with this reason', example: 'UGYLDIG_FELT' })
  @IsOptional()
  @Matches(CODE, { message: 'must be a reason, such as UGYLDIG_FELT' })
  kode?: string;

  @ApiPropertyOptional({ pattern: FIELD.source, description: 'Those with this field at fault', example: 'startDato' })
  @IsOptional()
  @Matches(FIELD, { message: 'must be the name of a field' })
  felt?: string;

  @ApiPropertyOptional({ description: 'All of them: must be said when there is neither kode nor felt', example: true })
  @IsOptional()
  @IsBoolean()
  alle?: boolean;

  @ApiPropertyOptional({
    pattern: ID.source,
    description: '`neste` of the call before, when there were more',
    example: '17',
  })
  @IsOptional()
  @Matches(ID, { message: 'must be the neste of the call before' })
  neste?: string;
}

@ApiSchema({ name: 'Forkast' })
export class ForkastDto {
  @ApiProperty({
    enum: DISCARD_REASONS,
    description:
      'Why. TESTMELDING: it was a test. FEIL_HOS_KILDEN: the source says that it was sent by mistake. ERSTATTET: the ' +
      'source has sent it anew. IKKE_EN_AVTALE: it is about something else. ANNET: none of these',
    example: 'TESTMELDING',
  })
  @IsIn(DISCARD_REASONS)
  begrunnelse: DiscardReason;
}

const BULK_ACTIONS = ['SPILL_AV', 'FORKAST'] as const;
const BULK_STATES = ['KJORER', 'FERDIG', 'STOPPET', 'FEILET'] as const;

@ApiSchema({ name: 'StartSamlehandling' })
export class StartSamlehandlingDto {
  @ApiProperty({ enum: BULK_ACTIONS, description: 'What to do with all of them', example: 'SPILL_AV' })
  @IsIn(BULK_ACTIONS)
  handling: (typeof BULK_ACTIONS)[number];

  @ApiPropertyOptional({ pattern: CODE.source, description: 'Those with this reason', example: 'UGYLDIG_FELT' })
  @IsOptional()
  @Matches(CODE, { message: 'must be a reason, such as UGYLDIG_FELT' })
  kode?: string;

  @ApiPropertyOptional({ pattern: FIELD.source, description: 'Those with this field at fault', example: 'startDato' })
  @IsOptional()
  @Matches(FIELD, { message: 'must be the name of a field' })
  felt?: string;

  @ApiPropertyOptional({ description: 'All of them: must be said when there is neither kode nor felt', example: true })
  @IsOptional()
  @IsBoolean()
  alle?: boolean;

  @ApiPropertyOptional({ enum: DISCARD_REASONS, description: 'Why they are discarded: with FORKAST, and only then' })
  @IsOptional()
  @IsIn(DISCARD_REASONS)
  begrunnelse?: DiscardReason;
}

@ApiSchema({ name: 'Samlehandling' })
export class SamlehandlingDto {
  @ApiProperty({ example: '3' })
  id: string;

  @ApiProperty({ enum: BULK_ACTIONS })
  handling: (typeof BULK_ACTIONS)[number];

  @ApiProperty({ type: 'string', nullable: true, description: 'Those with this reason' })
  kode: string | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'Those with this field at fault' })
  felt: string | null;

  @ApiProperty({
    enum: BULK_STATES,
    description: 'STOPPET: by somebody. FEILET: aarsak says why; what was done by then stays done',
  })
  tilstand: (typeof BULK_STATES)[number];

  @ApiProperty({ type: 'integer', description: 'Messages that waited when it was asked for' })
  antall: number;

  @ApiProperty({ type: 'integer', description: 'Of these, discarded or replayed so far' })
  utfoert: number;

  @ApiProperty({ type: 'integer', description: 'Of these, tried in vain so far' })
  fortsattParkert: number;

  @ApiProperty({ type: 'string', nullable: true, description: 'Why it failed' })
  aarsak: string | null;

  @ApiProperty({ format: 'date-time' })
  startet: string;

  @ApiProperty({ description: 'Nav ident' })
  startetAv: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  avsluttet: string | null;
}

@ApiSchema({ name: 'SisteSamlehandling' })
export class SisteSamlehandlingDto {
  @ApiPropertyOptional({ type: SamlehandlingDto, description: 'The last one; absent when there was none' })
  siste?: SamlehandlingDto;
}

@ApiSchema({ name: 'Parkert' })
export class ParkertDto {
  @ApiProperty({ example: '17' })
  id: string;

  @ApiProperty({ description: 'Topic, partition and offset: where the message lies on Kafka' })
  topic: string;

  @ApiProperty({ type: 'integer' })
  partisjon: number;

  @ApiProperty({ type: 'integer' })
  offset: number;

  @ApiProperty({ description: 'Reason', example: 'UGYLDIG_FELT' })
  kode: string;

  @ApiProperty({ type: 'string', nullable: true, description: 'The field at fault', example: 'startDato' })
  felt: string | null;

  @ApiProperty({ description: 'The reason in words; no value from the message', example: 'must be a number or null' })
  aarsak: string;

  @ApiProperty({ enum: PARKED_STATES })
  tilstand: (typeof PARKED_STATES)[number];

  @ApiProperty({ type: 'integer', description: 'How often it was tried' })
  forsok: number;

  @ApiProperty({ format: 'date-time' })
  parkert: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'When somebody last acted on it' })
  behandlet: string | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'Nav ident of who did' })
  behandletAv: string | null;

  @ApiProperty({
    enum: [...ALL_DISCARD_REASONS, null],
    nullable: true,
    description: 'Why it was discarded; AVTALE_SLETTET: by itself, since the avtale that it names was deleted',
  })
  begrunnelse: (typeof ALL_DISCARD_REASONS)[number] | null;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'When its bytes went; place, reason and fingerprint are kept. Absent while they are there',
  })
  innholdFjernet?: string;

  @ApiPropertyOptional({
    enum: REMOVAL_REASONS,
    description: 'Why they went. FRIST: nobody had resolved it in a year',
  })
  innholdFjernetAarsak?: (typeof REMOVAL_REASONS)[number];

  @ApiPropertyOptional({
    description: 'Present, and true, when its bytes were left on the topic, since too many have the same reason',
  })
  innholdUtelatt?: boolean;
}

@ApiSchema({ name: 'ParkertMedInnhold' })
export class ParkertMedInnholdDto extends ParkertDto {
  @ApiProperty({ type: 'string', nullable: true, description: 'Key; only its shape when it is no UUID' })
  nokkel: string | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'The message with what is about persons hidden' })
  melding: string | null;
}

@ApiSchema({ name: 'ParkertSide' })
export class ParkertSideDto {
  @ApiProperty({ type: [ParkertDto] })
  parkerte: ParkertDto[];

  @ApiPropertyOptional({ description: 'The next page; absent on the last one' })
  neste?: string;
}

export const REPLAY_OUTCOMES = ['TATT_INN', 'UENDRET', 'FORELDET', 'SLETTET', 'PARKERT'] as const;

@ApiSchema({ name: 'Avspilling' })
export class AvspillingDto {
  @ApiProperty({
    enum: REPLAY_OUTCOMES,
    description: 'What became of it. FORELDET: something newer is stored. PARKERT: it still can not be used',
  })
  utfall: (typeof REPLAY_OUTCOMES)[number];
}

@ApiSchema({ name: 'Avspillinger' })
export class AvspillingerDto {
  @ApiProperty({ type: 'integer' })
  forsoekt: number;

  @ApiProperty({ type: 'integer' })
  spiltAv: number;

  @ApiProperty({ type: 'integer' })
  fortsattParkert: number;

  @ApiPropertyOptional({ description: 'There are more: call again with this' })
  neste?: string;
}
