import { Catch, Controller, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { Meldingsbatch } from '../kafka/batch.ts';
import { UKJENT_POSISJON } from '../kafka/batch-strategi.ts';
import { metrikker } from '../metrikker.ts';
import { Innlesning, UkjentPosisjon, type Innlest } from './avtaler.innlesning.ts';

export const AVTALE_HENDELSE = 'avtale-hendelse';

/** Nest's own filter would hide the error from the transport, which decides by it. */
@Catch()
class GiFeilenVidere implements RpcExceptionFilter {
  catch(feil: unknown): Observable<never> {
    return throwError(() => feil);
  }
}

@Controller()
@UseFilters(GiFeilenVidere)
export class AvtaleConsumer {
  constructor(private readonly innlesning: Innlesning) {}

  /** Stores a batch of the source's messages; answers with the position to go on from. */
  @MessagePattern(AVTALE_HENDELSE)
  async motta(@Payload() batch: Meldingsbatch): Promise<number> {
    const stopp = metrikker.batchSekunder.startTimer();
    try {
      const innlest = await this.innlesning.lesInn(batch);
      stopp();
      tell(batch, innlest);
      return innlest.nesteOffset;
    } catch (feil) {
      if (feil instanceof UkjentPosisjon) return UKJENT_POSISJON;
      throw feil;
    }
  }
}

function tell(batch: Meldingsbatch, { folder, parkert, behandletFoer }: Innlest): void {
  metrikker.batchMeldinger.observe(batch.meldinger.length);
  metrikker.meldinger.inc({ utfall: 'BEHANDLET_FOER' }, behandletFoer);
  metrikker.meldinger.inc({ utfall: 'PARKERT' }, parkert.length);
  for (const { kode, felt } of parkert) metrikker.parkert.inc({ kode, felt: felt ?? '' });
  for (const { utfall, versjoner } of folder) {
    for (const [navn, antall] of Object.entries(utfall)) metrikker.meldinger.inc({ utfall: navn }, antall);
    for (const { innhold } of versjoner) for (const felt of innhold.ukjente) metrikker.ukjentVerdi.inc({ felt });
  }
}
