import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { STATES, type State } from '../condition/checks.ts';

const BYTES = { type: 'integer', description: 'Bytes', example: 8_192 } as const;

@ApiSchema({ name: 'Tabellplass' })
export class TabellplassDto {
  @ApiProperty({ description: 'With its partitions', example: 'avtale' })
  tabell: string;

  @ApiProperty(BYTES)
  tabellByte: number;

  @ApiProperty(BYTES)
  indeksByte: number;

  @ApiProperty(BYTES)
  toastByte: number;

  @ApiProperty({ type: 'integer', description: 'As the database estimates it' })
  rader: number;

  @ApiProperty({ type: 'integer', description: 'Rows that no vacuum has removed yet' })
  doedeRader: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    description: 'Share of the updates that needed no entry in an index, since the statistics began; null: no updates',
    example: 0.9,
  })
  hotAndel: number | null;

  @ApiProperty({ enum: STATES, description: 'OBS: many rows are dead' })
  tilstand: State;
}

@ApiSchema({ name: 'Indeksplass' })
export class IndeksplassDto {
  @ApiProperty({ description: 'With those of its partitions', example: 'avtale_pkey' })
  indeks: string;

  @ApiProperty()
  tabell: string;

  @ApiProperty({ ...BYTES })
  antallByte: number;
}

@ApiSchema({ name: 'Replikeringsspor' })
export class ReplikeringssporDto {
  @ApiProperty({ description: 'As who made it named it', example: 'varehus' })
  spor: string;

  @ApiProperty({
    enum: ['LOGISK', 'FYSISK'],
    description: 'LOGISK: of a table for analysis; FYSISK: of another server that follows this one',
  })
  slag: 'LOGISK' | 'FYSISK';

  @ApiProperty({ ...BYTES, description: "Bytes of the database's log, held back until the subscriber has read it" })
  holdtTilbakeByte: number;

  @ApiProperty({ description: 'It was too far behind, and is lost: its subscriber begins again' })
  tapt: boolean;

  @ApiProperty({ enum: STATES, description: 'OBS: it holds back more than 1 GB; FEIL: it is lost' })
  tilstand: State;
}

@ApiSchema({ name: 'Plass' })
export class PlassDto {
  @ApiProperty({ type: 'string', format: 'date-time', description: 'Every five minutes' })
  maalt: string;

  @ApiProperty({
    enum: STATES,
    description: 'That of the worst: the disk, dead rows, transaction numbers, replication slots',
  })
  tilstand: State;

  @ApiProperty({ ...BYTES, description: 'Bytes of the whole database' })
  databaseByte: number;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Bytes of its disk; null: DB_PLASS_GB is not set' })
  plassByte: number | null;

  @ApiProperty({ type: 'integer', description: 'Transactions since the oldest that no vacuum has frozen' })
  transaksjonsalder: number;

  @ApiProperty({
    type: 'integer',
    description: 'Transactions since the oldest that is open, of those that the login may see',
  })
  aapenTransaksjonsalder: number;

  @ApiProperty({ type: [TabellplassDto], description: 'The largest first' })
  tabeller: TabellplassDto[];

  @ApiProperty({ type: [IndeksplassDto], description: 'The largest first' })
  indekser: IndeksplassDto[];

  @ApiProperty({ type: [ReplikeringssporDto], description: 'Of the whole instance, those that hold back most first' })
  replikeringsspor: ReplikeringssporDto[];
}
