import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Rows read and written one at a time go through these; what arrives in batches (`avtale`, `avtale_versjon`,
 * `endring`) and the hot look-ups are explicit SQL in the app that owns them.
 */

@Entity('instans')
export class Instance {
  @PrimaryColumn('boolean')
  id: boolean;

  /** of the change feed: a position from another epoch means nothing here */
  @Column('uuid')
  epoke: string;

  @Column('uuid', { nullable: true })
  noekkelkontroll: string | null;
}

@Entity('konsum_offset')
export class ConsumerOffset {
  @PrimaryColumn('text')
  topic: string;

  @PrimaryColumn('integer')
  partisjon: number;

  @Column('bigint', { name: 'neste_offset' })
  nesteOffset: string;
}

@Entity('konsum_status')
export class ConsumerStatus {
  @PrimaryColumn('text')
  topic: string;

  @PrimaryColumn('integer')
  partisjon: number;

  @Column('bigint', { name: 'slutt_offset' })
  sluttOffset: string;

  /** null until the partition has once been read to its end */
  @Column('timestamptz', { name: 'oppdatert_til', nullable: true })
  oppdatertTil: Date | null;
}

@Entity('parkert_melding')
export class ParkedMessage {
  @PrimaryColumn('bigint', { generated: 'identity' })
  id: string;

  @Column('text')
  topic: string;

  @Column('integer')
  partisjon: number;

  @Column('bigint', { name: 'kafka_offset' })
  kafkaOffset: string;

  @Column('bytea', { nullable: true })
  nokkel: Buffer | null;

  @Column('bytea', { nullable: true })
  verdi: Buffer | null;

  @Column('bytea')
  avtrykk: Buffer;

  @Column('text')
  kode: string;

  @Column('text', { nullable: true })
  felt: string | null;

  @Column('text')
  aarsak: string;

  @Column('text', { default: 'PARKERT' })
  tilstand: 'PARKERT' | 'SPILT_AV' | 'FORKASTET';

  @Column('integer', { default: 1 })
  forsok: number;

  @Column('timestamptz', { default: () => 'now()' })
  parkert: Date;

  @Column('timestamptz', { nullable: true })
  behandlet: Date | null;

  @Column('text', { name: 'behandlet_av', nullable: true })
  behandletAv: string | null;
}
