import { Module, type DynamicModule } from '@nestjs/common';
import { Faults } from '../front/faults.ts';
import { Planter } from '../planting/planter.ts';
import { SandboxClock } from '../process/clock.ts';
import { ControlController } from './control.controller.ts';
import { Numbers } from './numbers.ts';
import { PlantingController } from './planting.controller.ts';
import { Surroundings } from './surroundings.ts';

export interface ControlParts {
  planter: Planter;
  clock: SandboxClock;
  faults: Faults;
  surroundings: Surroundings;
}

const CONTROLLERS = [PlantingController, ControlController];

@Module({})
export class ControlModule {
  static with({ planter, clock, faults, surroundings }: ControlParts): DynamicModule {
    return {
      module: ControlModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: Planter, useValue: planter },
        { provide: SandboxClock, useValue: clock },
        { provide: Faults, useValue: faults },
        { provide: Surroundings, useValue: surroundings },
        Numbers,
      ],
    };
  }

  /** The routes with nothing behind them: their controllers are made, and must not be called. */
  static forDocument(): DynamicModule {
    const providers = [Planter, SandboxClock, Faults, Surroundings, Numbers].map((provide) => ({
      provide,
      useValue: null,
    }));
    return { module: ControlModule, controllers: CONTROLLERS, providers };
  }
}
