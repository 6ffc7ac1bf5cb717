import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { SYNKTILSTANDER, SYNKTYPER, type Synkrad, type Synktilstand, type Synktype } from './synk.queries.ts';
import { MAKS_RESSURSER, MAKS_SIDER } from './synk.side.ts';

export class SynkIdDto {
  @ApiProperty({ description: 'Of the sync', example: '7b0f5c1e-6f0e-4a43-9a3f-2a3a2f1a7c11' })
  @Matches(/^(?!\d{11}$)[A-Za-z0-9_-]{1,100}$/, { message: 'must be 1 to 100 of A–Z, a–z, 0–9, _ and -' })
  synkId: string;
}

@ApiSchema({ name: 'Sidemetadata' })
export class SidemetadataDto {
  @ApiProperty({ pattern: '^[A-Za-z0-9_-]{1,100}$', description: 'New for each sync, the same on all its pages' })
  synkId: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Number of this page, 1 to antallSider; in any order' })
  side: number;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAKS_SIDER, description: 'Pages of the sync' })
  antallSider: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Entries of all its pages together' })
  antallTotalt: number;
}

/** What an adapter tells of an avtale: the names, types and rules of the source's messages. */
@ApiSchema({ name: 'Ressurs', description: 'Fields that are not named here are ignored, and not passed on.' })
export class RessursDto {
  @ApiProperty({ format: 'uuid', description: 'The same as the id of the entry' }) avtaleId: string;
  @ApiProperty({
    format: 'date-time',
    description:
      'When it was last changed, UTC. Decides the order: the newest wins, an older one changes nothing. After a delete, only a newer one revives.',
    example: '2026-01-31T10:00:00.123456Z',
  })
  sistEndret: string;
  @ApiPropertyOptional({ type: 'integer', nullable: true }) avtaleNr?: number | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, description: 'National ident of the participant' })
  deltakerFnr?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, description: 'Organisation number of the employer' })
  bedriftNr?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true }) bedriftNavn?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true }) veilederNavIdent?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, example: 'ARBEIDSTRENING' }) tiltakstype?: string | null;
  @ApiPropertyOptional({ type: 'integer', nullable: true }) versjon?: number | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, example: 'GJENNOMFØRES' }) avtaleStatus?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description: 'Local time in Norway, without offset',
    example: '2026-01-31T10:00:00',
  })
  'avtaleInngått'?: string | null;
  @ApiPropertyOptional({ type: 'string', format: 'date', nullable: true }) startDato?: string | null;
  @ApiPropertyOptional({ type: 'string', format: 'date', nullable: true }) sluttDato?: string | null;
  @ApiPropertyOptional({ type: 'number', nullable: true }) stillingprosent?: number | null;
  @ApiPropertyOptional({ type: 'number', nullable: true }) antallDagerPerUke?: number | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, example: 'FAST' }) stillingstype?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, description: 'Local time in Norway' }) godkjentAvDeltaker?:
    string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, description: 'Local time in Norway' })
  godkjentAvArbeidsgiver?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, description: 'Local time in Norway' }) godkjentAvVeileder?:
    string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, description: 'Local time in Norway' }) godkjentAvBeslutter?:
    string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true }) godkjentAvNavIdent?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true }) godkjentAvBeslutterNavIdent?: string | null;
  @ApiPropertyOptional({ type: 'boolean' }) godkjentPaVegneAv?: boolean;
  @ApiPropertyOptional({ type: 'boolean' }) godkjentPaVegneAvArbeidsgiver?: boolean;
  @ApiPropertyOptional({ type: 'string', nullable: true, example: 'VEILEDER' }) opphav?: string | null;
  @ApiPropertyOptional({ type: 'string', nullable: true, description: 'Local time in Norway' }) opprettetTidspunkt?:
    string | null;
  @ApiPropertyOptional({ type: 'string', format: 'date-time', nullable: true, description: 'UTC' })
  annullertTidspunkt?: string | null;
  @ApiPropertyOptional({ type: 'boolean', description: 'Hidden from consumers while true' }) feilregistrert?: boolean;
  @ApiPropertyOptional({ type: 'boolean', description: 'Deleted, in order with the changes' }) slettemerket?: boolean;
}

@ApiSchema({ name: 'Innslag' })
export class InnslagDto {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ type: RessursDto }) ressurs: RessursDto;
}

@ApiSchema({ name: 'Slettinnslag' })
export class SlettinnslagDto {
  @ApiProperty({ format: 'uuid' }) id: string;
}

@ApiSchema({ name: 'Side' })
export class SideDto {
  @ApiProperty({ type: SidemetadataDto }) metadata: SidemetadataDto;
  @ApiProperty({ type: [InnslagDto], maxItems: MAKS_RESSURSER }) ressurser: InnslagDto[];
}

@ApiSchema({ name: 'Sletteside' })
export class SlettesideDto {
  @ApiProperty({ type: SidemetadataDto }) metadata: SidemetadataDto;
  @ApiProperty({ type: [SlettinnslagDto], maxItems: MAKS_RESSURSER }) ressurser: SlettinnslagDto[];
}

@ApiSchema({ name: 'Synk' })
export class SynkDto {
  @ApiProperty() synkId: string;
  @ApiProperty({ enum: SYNKTYPER }) type: Synktype;
  @ApiProperty({
    enum: SYNKTILSTANDER,
    description:
      'MOTTAR: pages are missing. SLETTER: all pages are in; what a full sync did not hold is being deleted. VENTER_PAA_BEKREFTELSE: it would delete very much, see bekreftSynk. ERSTATTET: by a newer full sync. UTLOEPT: no page for 15 minutes. FEILET: the pages held another number of entries than antallTotalt',
  })
  tilstand: Synktilstand;
  @ApiProperty({ description: 'Stalled: no page for 3 minutes' }) stanset: boolean;
  @ApiProperty({ type: 'integer' }) antallSider: number;
  @ApiProperty({ type: 'integer' }) mottatteSider: number;
  @ApiPropertyOptional({ type: 'array', items: { type: 'integer' }, description: 'The first 1,000' })
  manglendeSider?: number[];
  @ApiProperty({ type: 'integer' }) antallTotalt: number;
  @ApiProperty({ type: 'integer' }) mottatteRessurser: number;
  @ApiProperty({ format: 'date-time' }) startet: string;
  @ApiProperty({ format: 'date-time' }) sisteSide: string;
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true }) avsluttet: string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How many avtaler a full sync deletes; null until known',
  })
  skalSlettes: number | null;
}

export function tilSynkDto(rad: Synkrad, manglendeSider?: number[]): SynkDto {
  const { startOffset: _, bekreftetAv: __, startet, sisteSide, avsluttet, ...resten } = rad;
  return {
    ...resten,
    startet: startet.toISOString(),
    sisteSide: sisteSide.toISOString(),
    avsluttet: avsluttet?.toISOString() ?? null,
    ...(manglendeSider ? { manglendeSider } : {}),
  };
}
