import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { CODE_VALUES, FIELDS } from '@tiltak/avtale';
import { Matches } from 'class-validator';
import { REMARK_KINDS } from './remarks.ts';
import { MAX_PAGES, MAX_RESOURCES, SYNC_TYPES, type SyncType } from './sync-page.ts';
import { SYNC_STATES, type SyncRow, type SyncState } from './sync.queries.ts';

/** Eleven digits may be a national ident, which must not stand in an address. */
const SYNC_ID = '^(?![0-9]{11}$)[A-Za-z0-9_-]{1,100}$';
const EXAMPLE_SYNC = '7b0f5c1e-6f0e-4a43-9a3f-2a3a2f1a7c11';
const EXAMPLE_AVTALE = '5f0c0d3e-1d6b-4c57-9a44-0e0a6b1f2d11';
const NORWEGIAN_TIME =
  'Local time in Norway, without offset: one that has it is refused or told of, as the contract says';
const EXAMPLE_TIME = '2026-01-31T10:00:00';

export class SynkIdDto {
  @ApiProperty({ pattern: SYNC_ID, description: 'Of the sync', example: EXAMPLE_SYNC })
  @Matches(new RegExp(SYNC_ID), { message: 'must be 1 to 100 of A–Z, a–z, 0–9, _ and -' })
  synkId: string;
}

@ApiSchema({ name: 'Sidemetadata' })
export class SidemetadataDto {
  @ApiProperty({
    pattern: SYNC_ID,
    description: 'New for each sync, the same on all its pages',
    example: EXAMPLE_SYNC,
  })
  synkId: string;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_PAGES,
    description: 'Number of this page, 1 to antallSider; in any order',
    example: 1,
  })
  side: number;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_PAGES, description: 'Pages of the sync', example: 1 })
  antallSider: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: MAX_PAGES * MAX_RESOURCES,
    description: 'Entries of all its pages together',
    example: 1,
  })
  antallTotalt: number;
}

/** What the contract says of a field's length or range, as a schema says it. */
function limitsOf(field: keyof typeof FIELDS): { maxLength?: number; minimum?: number; maximum?: number } {
  const { maxLength, range } = FIELDS[field];
  return { ...(maxLength !== undefined && { maxLength }), ...(range && { minimum: range[0], maximum: range[1] }) };
}

/** What the codes are that this release knows; others are taken, and told of in the answer. */
function codesOf(field: keyof typeof CODE_VALUES): string {
  return `, a code of the source: ${CODE_VALUES[field].known.join(', ')}. Another one is stored, and shown as UKJENT`;
}

/** What an adapter tells of an avtale: the names, types and rules of the source's messages. */
@ApiSchema({
  name: 'Ressurs',
  description:
    'Fields that are not named here are not passed on, and local times have no offset: what is not so is named in the answer, or the page is refused, as the contract says (`ukjenteFelter`). A code that is not known is named in the answer.',
})
export class RessursDto {
  @ApiProperty({ format: 'uuid', description: 'The same as the id of the entry', example: EXAMPLE_AVTALE })
  avtaleId: string;
  @ApiProperty({
    format: 'date-time',
    description:
      'When it was last changed, UTC. Decides the order: the newest wins, an older one changes nothing. After a delete, only a newer one revives.',
    example: '2026-01-31T10:00:00.123456Z',
  })
  sistEndret: string;
  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    ...limitsOf('avtaleNr'),
    description: 'Number that people know the avtale by',
    example: 10000,
  })
  avtaleNr?: number | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('deltakerFnr'),
    description:
      'National ident of the participant, eleven digits; other text is stored as it is. The participant is found by it: an avtale without it is nobody’s. Consumers are told it if they are granted the field; the links of an avtale have an opaque id of the participant',
  })
  deltakerFnr?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('bedriftNr'),
    description: 'Organisation number of the employer, nine digits',
    example: '999999999',
  })
  bedriftNr?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('bedriftNavn'),
    description: 'Name of the employer',
    example: 'Eksempelbedriften AS',
  })
  bedriftNavn?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('veilederNavIdent'),
    description: 'Nav ident of the counsellor',
    example: 'Z123456',
  })
  veilederNavIdent?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('tiltakstype'),
    description: `Kind of measure${codesOf('tiltakstype')}`,
    example: 'ARBEIDSTRENING',
  })
  tiltakstype?: string | null;
  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    ...limitsOf('versjon'),
    description: 'Version of the content of the avtale',
    example: 1,
  })
  versjon?: number | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('avtaleStatus'),
    description: `Status${codesOf('avtaleStatus')}`,
    example: 'GJENNOMFØRES',
  })
  avtaleStatus?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description: `When it was entered into. ${NORWEGIAN_TIME}`,
    example: EXAMPLE_TIME,
  })
  'avtaleInngått'?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    format: 'date',
    nullable: true,
    description: 'First day',
    example: '2026-02-01',
  })
  startDato?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    format: 'date',
    nullable: true,
    description: 'Last day, included; null when it goes on',
    example: '2026-07-31',
  })
  sluttDato?: string | null;
  @ApiPropertyOptional({
    type: 'number',
    nullable: true,
    ...limitsOf('stillingprosent'),
    description: 'Per cent of a full position',
    example: 50,
  })
  stillingprosent?: number | null;
  @ApiPropertyOptional({
    type: 'number',
    nullable: true,
    ...limitsOf('antallDagerPerUke'),
    description: 'Days a week',
    example: 2.5,
  })
  antallDagerPerUke?: number | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('stillingstype'),
    description: `Kind of position${codesOf('stillingstype')}`,
    example: 'FAST',
  })
  stillingstype?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description: `When the participant approved. ${NORWEGIAN_TIME}`,
    example: EXAMPLE_TIME,
  })
  godkjentAvDeltaker?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description: `When the employer approved. ${NORWEGIAN_TIME}`,
    example: EXAMPLE_TIME,
  })
  godkjentAvArbeidsgiver?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description: `When the counsellor approved. ${NORWEGIAN_TIME}`,
    example: EXAMPLE_TIME,
  })
  godkjentAvVeileder?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description: `When the decision-maker approved. ${NORWEGIAN_TIME}`,
    example: EXAMPLE_TIME,
  })
  godkjentAvBeslutter?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('godkjentAvNavIdent'),
    description: 'Nav ident of who approved for Nav',
    example: 'Z123456',
  })
  godkjentAvNavIdent?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('godkjentAvBeslutterNavIdent'),
    description: 'Nav ident of the decision-maker',
    example: 'Z123456',
  })
  godkjentAvBeslutterNavIdent?: string | null;
  @ApiPropertyOptional({ type: 'boolean', description: 'Approved on behalf of the participant' })
  godkjentPaVegneAv?: boolean;
  @ApiPropertyOptional({ type: 'boolean', description: 'Approved on behalf of the employer' })
  godkjentPaVegneAvArbeidsgiver?: boolean;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    ...limitsOf('opphav'),
    description: `Who made the avtale${codesOf('opphav')}`,
    example: 'VEILEDER',
  })
  opphav?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description: `When it was made. ${NORWEGIAN_TIME}`,
    example: EXAMPLE_TIME,
  })
  opprettetTidspunkt?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'When it was annulled, UTC',
  })
  annullertTidspunkt?: string | null;
  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    description:
      'Why it was annulled. Only «Ikke møtt» and «Avtalen finnes ikke i Arena» go further, as an answer to whether it ever began; any other reason is let go of',
    example: 'Ikke møtt',
  })
  annullertGrunn?: string | null;
  @ApiPropertyOptional({
    type: 'object',
    properties: { arenaMigreringDeltaker: { type: 'boolean' } },
    nullable: true,
    description: 'Of the approval on behalf of the participant: whether the migration from Arena made it',
  })
  godkjentPaVegneGrunn?: { arenaMigreringDeltaker?: boolean } | null;
  @ApiPropertyOptional({
    type: 'object',
    properties: { arenaMigreringArbeidsgiver: { type: 'boolean' } },
    nullable: true,
    description: 'Of the approval on behalf of the employer: whether the migration from Arena made it',
  })
  godkjentPaVegneAvArbeidsgiverGrunn?: { arenaMigreringArbeidsgiver?: boolean } | null;
  @ApiPropertyOptional({ type: 'boolean', description: 'Hidden from consumers while true' }) feilregistrert?: boolean;
  @ApiPropertyOptional({ type: 'boolean', description: 'Deleted, in order with the changes' }) slettemerket?: boolean;
}

@ApiSchema({ name: 'Innslag' })
export class InnslagDto {
  @ApiProperty({ format: 'uuid', description: 'avtaleId', example: EXAMPLE_AVTALE }) id: string;
  @ApiProperty({ type: RessursDto, description: 'The avtale as it is now' }) ressurs: RessursDto;
}

@ApiSchema({ name: 'Slettinnslag' })
export class SlettinnslagDto {
  @ApiProperty({ format: 'uuid', description: 'avtaleId', example: EXAMPLE_AVTALE }) id: string;
}

@ApiSchema({ name: 'Side' })
export class SideDto {
  @ApiProperty({ type: SidemetadataDto, description: 'Which page of which sync' }) metadata: SidemetadataDto;
  @ApiProperty({
    type: [InnslagDto],
    maxItems: MAX_RESOURCES,
    description: 'Each id once; none in an empty full sync',
  })
  ressurser: InnslagDto[];
}

@ApiSchema({ name: 'Sletteside' })
export class SlettesideDto {
  @ApiProperty({ type: SidemetadataDto, description: 'Which page of which sync' }) metadata: SidemetadataDto;
  @ApiProperty({ type: [SlettinnslagDto], maxItems: MAX_RESOURCES, description: 'Each id once' })
  ressurser: SlettinnslagDto[];
}

@ApiSchema({ name: 'Feltfeil' })
export class FeltfeilDto {
  @ApiProperty({ description: 'Which field', example: 'ressurser[3].ressurs.avtaleInngaatt' }) felt: string;
  @ApiProperty({ description: 'What is wrong with it', example: 'is not a field of the contract' }) melding: string;
}

@ApiSchema({ name: 'Synkfeil', description: 'What was refused, and why; never a value.' })
export class SynkfeilDto {
  @ApiProperty({ format: 'date-time', description: 'When it was refused' }) tidspunkt: string;
  @ApiProperty({ type: 'string', nullable: true, description: 'Of the sync, if it was told' }) synkId: string | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Number of the page, if it was told' }) side:
    number | null;
  @ApiProperty({ type: 'integer', description: 'As it was answered', example: 400 }) status: number;
  @ApiProperty({ description: 'As it was answered' }) detail: string;
  @ApiProperty({ type: [FeltfeilDto], description: 'The first ten' }) feil: FeltfeilDto[];
}

@ApiSchema({ name: 'Merknad', description: 'Something in entries that were taken all the same.' })
export class MerknadDto {
  @ApiProperty({
    enum: REMARK_KINDS,
    description:
      'UKJENT_FELT: not a field of the contract, and not passed on. UKJENT_KODE: shown to consumers as UKJENT. TID_MED_FORSKYVNING: local time is expected; it is read by its offset',
  })
  slag: (typeof REMARK_KINDS)[number];
  @ApiProperty({ description: 'Which field', example: 'ressurser.ressurs.avtaleInngaatt' }) felt: string;
  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'The field that is meant, it seems',
    example: 'avtaleInngått',
  })
  mente: string | null;
  @ApiProperty({ type: 'integer', description: 'In how many entries' }) antall: number;
  @ApiProperty({ type: 'integer', description: 'The first page that has it' }) side: number;
  @ApiProperty({ type: 'integer', description: 'Index in that page of the first entry that has it' }) innslag: number;
}

@ApiSchema({ name: 'Synk' })
export class SynkDto {
  @ApiProperty({ description: 'Of the sync', example: EXAMPLE_SYNC }) synkId: string;
  @ApiProperty({ description: 'What its entries are, as the contract names it', example: 'avtaler' }) ressurs: string;
  @ApiProperty({ enum: SYNC_TYPES, description: 'Full, delta or delete' }) type: SyncType;
  @ApiProperty({
    enum: SYNC_STATES,
    description:
      'MOTTAR: pages are missing. SLETTER: all pages are in; what a full sync did not hold is being deleted. VENTER_PAA_BEKREFTELSE: it would delete very much, see bekreftSynk. ERSTATTET: by a newer full sync. UTLOEPT: no page for 15 minutes. FEILET: the pages held another number of entries than antallTotalt',
  })
  tilstand: SyncState;
  @ApiProperty({ description: 'Stalled: no page for 3 minutes' }) stanset: boolean;
  @ApiProperty({ type: 'integer', description: 'Pages of the sync' }) antallSider: number;
  @ApiProperty({ type: 'integer', description: 'Pages that are in' }) mottatteSider: number;
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'integer' },
    description: 'Numbers of the pages that are missing, the first 1,000',
  })
  manglendeSider?: number[];
  @ApiProperty({ type: 'integer', description: 'Entries of all its pages together' }) antallTotalt: number;
  @ApiProperty({ type: 'integer', description: 'Entries of the pages that are in' }) mottatteRessurser: number;
  @ApiProperty({ format: 'date-time', description: 'When its first page came' }) startet: string;
  @ApiProperty({ format: 'date-time', description: 'When its last page so far came' }) sisteSide: string;
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'When it was over' }) avsluttet:
    string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How many a full sync deletes; null until known',
  })
  skalSlettes: number | null;
  @ApiProperty({
    type: 'integer',
    description:
      'Entries that changed what is stored. This and the three below are counted when the stream has stored a page, normally within a second; together they are mottatteRessurser then',
  })
  endret: number;
  @ApiProperty({ type: 'integer', description: 'Entries that said what is stored already' }) uendret: number;
  @ApiProperty({
    type: 'integer',
    description: 'Entries that are older than what is stored, or than its deletion: they changed nothing',
  })
  foreldet: number;
  @ApiProperty({ type: 'integer', description: 'Entries that could not be stored: people on duty have been told' })
  parkert: number;
  @ApiProperty({ type: [MerknadDto], description: 'What its entries hold that is not as expected; 100 at most' })
  merknader: MerknadDto[];
  @ApiProperty({
    type: SynkfeilDto,
    nullable: true,
    description: 'The last page or confirmation of it that was refused; it may have been accepted since',
  })
  sisteFeil: SynkfeilDto | null;
}

export function toSynkDto(row: SyncRow, missingPages?: number[]): SynkDto {
  const { startOffset: _, bekreftetAv: __, startet: started, sisteSide: lastPage, avsluttet: ended, ...rest } = row;
  return {
    ...rest,
    startet: started.toISOString(),
    sisteSide: lastPage.toISOString(),
    avsluttet: ended?.toISOString() ?? null,
    ...(missingPages ? { manglendeSider: missingPages } : {}),
  };
}
