import { Module, type DynamicModule } from '@nestjs/common';
import { AvtaleConsumer } from './avtaler/avtaler.consumer.ts';
import { Innlesning } from './avtaler/avtaler.innlesning.ts';

@Module({})
export class IngestorModule {
  static med(innlesning: Innlesning): DynamicModule {
    return {
      module: IngestorModule,
      controllers: [AvtaleConsumer],
      providers: [{ provide: Innlesning, useValue: innlesning }],
    };
  }
}
