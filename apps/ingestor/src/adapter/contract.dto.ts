import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { RESOURCES } from './pushed/resources.ts';
import { UNKNOWN_FIELDS, type UnknownFields } from './remarks.ts';
import { SynkDto, SynkfeilDto } from './sync.dto.ts';

/** Eleven digits may be a national ident. */
export const ADAPTER_ID = '^(?![0-9]{11}$)[A-Za-z0-9._-]{1,100}$';
const DELTASYNK = ['STRAKS', 'MINST_HVERT_15_MINUTT', 'INGEN'] as const;

@ApiSchema({ name: 'Kontrakt' })
export class KontraktDto {
  @ApiProperty({ description: "The adapter's own name", example: 'demo-fylke-adapter', pattern: ADAPTER_ID })
  @Matches(new RegExp(ADAPTER_ID), { message: 'must be 1 to 100 of A–Z, a–z, 0–9, . _ and -' })
  adapterId: string;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: 1440,
    description: 'How often it will send a heartbeat',
    example: 15,
  })
  @IsInt()
  @Min(1)
  @Max(1_440)
  heartbeatIntervallMinutter: number;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: 7, description: 'How often it will do a full sync', example: 7 })
  @IsInt()
  @Min(1)
  @Max(7)
  fullSynkIntervallDager: number;

  @ApiProperty({ enum: DELTASYNK, description: 'How soon changes are pushed' })
  @IsIn(DELTASYNK)
  deltaSynk: (typeof DELTASYNK)[number];

  @ApiProperty({
    enum: RESOURCES,
    isArray: true,
    minItems: 1,
    uniqueItems: true,
    description: 'What it pushes',
    example: ['avtaler'],
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(10)
  @ArrayUnique()
  @IsIn(RESOURCES, { each: true })
  ressurser: string[];

  @ApiPropertyOptional({
    enum: UNKNOWN_FIELDS,
    default: 'MELD',
    description:
      'What becomes of a field that the contract does not know, and of a time with an offset where none belongs. AVVIS: the page is refused, which names it. MELD: the page is taken without the field, the time is read by its offset, and `merknader` names it. Choose AVVIS for a new adapter: a field under another name than the contract has is one that is missing',
  })
  @IsOptional()
  @IsIn(UNKNOWN_FIELDS)
  ukjenteFelter?: UnknownFields;
}

export const HEARTBEAT_STATES = ['OK', 'FORSINKET', 'STANSET'] as const;

@ApiSchema({ name: 'Hjerteslag' })
export class HjerteslagDto {
  @ApiProperty({
    enum: HEARTBEAT_STATES,
    description: 'FORSINKET after one interval without a heartbeat, STANSET after two',
  })
  tilstand: (typeof HEARTBEAT_STATES)[number];

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'The last heartbeat' })
  sist: string | null;
}

@ApiSchema({ name: 'FullSynk' })
export class FullSynkDto {
  @ApiProperty({ description: 'What it is of, as the contract names it', example: 'avtaler' }) ressurs: string;
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'When one was last completed' })
  sisteFullSynk: string | null;
  @ApiProperty({ description: 'Whether one should have been completed by now' }) forfalt: boolean;
}

@ApiSchema({ name: 'Adapterstatus' })
export class AdapterstatusDto {
  @ApiProperty({ type: KontraktDto, description: 'What the adapter has promised' })
  kontrakt: KontraktDto;

  @ApiProperty({ type: HjerteslagDto, description: 'Whether it is alive' })
  hjerteslag: HjerteslagDto;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description:
      'When a full sync was last completed; of several resources, of the one whose last is longest ago. Null when one of them has had none',
  })
  sisteFullSynk: string | null;

  @ApiProperty({ description: 'Whether a full sync should have been completed by now' })
  fullSynkForfalt: boolean;

  @ApiProperty({ type: [FullSynkDto], description: 'The same of each resource of the contract' })
  fullSynker: FullSynkDto[];

  @ApiProperty({
    type: SynkfeilDto,
    nullable: true,
    description: 'The last page or confirmation that was refused, whatever sync it was of',
  })
  sisteFeil: SynkfeilDto | null;

  @ApiProperty({ type: [SynkDto], description: 'The last 20, newest first; without the pages that are missing' })
  synker: SynkDto[];
}
