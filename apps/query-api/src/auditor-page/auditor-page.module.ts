import { Module, type DynamicModule } from '@nestjs/common';
import { SeenController } from './seen.controller.ts';
import { SeenReader } from './seen-reader.ts';

@Module({})
export class AuditorPageModule {
  static with(reader: SeenReader): DynamicModule {
    return {
      module: AuditorPageModule,
      controllers: [SeenController],
      providers: [{ provide: SeenReader, useValue: reader }],
    };
  }
}
