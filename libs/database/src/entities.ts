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
