import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import { SCENARIOS, type Scenario } from '@tiltak/simulator';
import { syntheticFnr, syntheticOrgnr } from '@tiltak/testing';
import { IsIn, IsUUID, Matches } from 'class-validator';
import { Planter } from '../planting/planter.ts';
import { SandboxClock } from '../process/clock.ts';
import { Numbers } from './numbers.ts';
import {
  AvtaleinnholdDto,
  PersonDto,
  PlantetAvtaleDto,
  PlantetScenarioDto,
  PlantetVirksomhetDto,
  ScenarierDto,
  ScenariovalgDto,
  VirksomhetsinnholdDto,
} from './planting.dto.ts';

class AvtaleParam {
  @ApiProperty({ format: 'uuid', description: 'The avtale' })
  @IsUUID('all', { message: 'must be a UUID' })
  avtaleId: string;
}

class VirksomhetParam {
  @ApiProperty({ description: 'Organisation number, 9 digits', example: '310825518' })
  @Matches(/^\d{9}$/, { message: 'must be an organisation number, 9 digits' })
  organisasjonsnummer: string;
}

const NAMES = Object.keys(SCENARIOS);

class ScenarioParam {
  @ApiProperty({ enum: NAMES, enumName: 'Scenarionavn', description: 'Its name' })
  @IsIn(NAMES, { message: 'is not a scenario: GET /sandkasse/v1/scenarier lists them' })
  navn: string;
}

/** Who and what is there to be asked about. */
@ApiTags('Innhold')
@Controller('sandkasse/v1')
export class PlantingController {
  constructor(
    private readonly planter: Planter,
    private readonly clock: SandboxClock,
    private readonly numbers: Numbers,
  ) {}

  @Put('avtaler/:avtaleId')
  @ApiOperation({
    operationId: 'plantAvtale',
    summary: 'From now on the avtale says this',
    description:
      'It is stored as a message of the source: links, history and the change feed follow, and `sistEndret` decides which is newest',
  })
  @ApiOkResponse({ type: PlantetAvtaleDto })
  async plantAvtale(@Param() { avtaleId }: AvtaleParam, @Body() content: AvtaleinnholdDto): Promise<PlantetAvtaleDto> {
    const id = avtaleId.toLowerCase();
    const [outcome] = await this.planter.plant([{ avtaleId: id, versions: [{ ...content }] }]);
    return { avtaleId: id, utfall: outcome ?? 'UENDRET' };
  }

  @Delete('avtaler/:avtaleId')
  @HttpCode(204)
  @ApiOperation({ operationId: 'fjernAvtale', summary: 'The avtale is deleted, as a tombstone of the source does' })
  @ApiNoContentResponse({ description: 'It is not there' })
  async fjernAvtale(@Param() { avtaleId }: AvtaleParam): Promise<void> {
    await this.planter.remove(avtaleId.toLowerCase());
  }

  @Put('virksomheter/:organisasjonsnummer')
  @ApiOperation({
    operationId: 'plantVirksomhet',
    summary: 'From now on the register says this of the virksomhet',
    description:
      'In any order: a unit may come after those below it, and after the avtaler at it. Their `hovedenhet` follows, and is in the change feed when this is answered',
  })
  @ApiOkResponse({ type: PlantetVirksomhetDto })
  async plantVirksomhet(
    @Param() { organisasjonsnummer }: VirksomhetParam,
    @Body() content: VirksomhetsinnholdDto,
  ): Promise<PlantetVirksomhetDto> {
    return { organisasjonsnummer, utfall: await this.planter.plantVirksomhet(organisasjonsnummer, { ...content }) };
  }

  @Delete('virksomheter/:organisasjonsnummer')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'fjernVirksomhet',
    summary: 'The virksomhet is deleted, as a tombstone of the register does',
  })
  @ApiNoContentResponse({ description: 'It is not there' })
  async fjernVirksomhet(@Param() { organisasjonsnummer }: VirksomhetParam): Promise<void> {
    await this.planter.removeVirksomhet(organisasjonsnummer);
  }

  @Post('personer')
  @HttpCode(200)
  @ApiOperation({ operationId: 'plantPerson', summary: 'These idents are one person, as the person register says' })
  @ApiOkResponse({ type: PersonDto })
  async plantPerson(@Body() { identer }: PersonDto): Promise<PersonDto> {
    await this.planter.plantPerson(identer);
    return { identer };
  }

  @Get('scenarier')
  @ApiOperation({ operationId: 'hentScenarier', summary: 'What can be planted by name' })
  @ApiOkResponse({ type: ScenarierDto })
  hentScenarier(): ScenarierDto {
    return {
      scenarier: Object.entries(SCENARIOS).map(([name, { description, count }]) => ({
        navn: name,
        beskrivelse: description,
        ...(count ? { maksAntall: count.max } : {}),
      })),
    };
  }

  @Post('scenarier/:navn')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'plantScenario',
    summary: 'Plants a scenario, as of the day that the clock says',
    description: 'Each call plants persons and companies of its own, so that tests don’t meet each other',
  })
  @ApiOkResponse({ type: PlantetScenarioDto })
  async plantScenario(
    @Param() { navn }: ScenarioParam,
    @Body() { antall }: ScenariovalgDto,
  ): Promise<PlantetScenarioDto> {
    const scenario = SCENARIOS[navn];
    if (!scenario) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no such scenario');
    const { persons, avtaler } = scenario.plant(this.world(), chosenCount(scenario, antall));
    for (const idents of persons) if (idents.length > 1) await this.planter.plantPerson(idents);
    const planted = avtaler.map((avtale) => ({ avtaleId: randomUUID(), ...avtale }));
    await this.planter.plant(planted);
    return {
      navn,
      personer: persons.map((idents) => ({ identer: [...idents] })),
      avtaler: planted.map(({ avtaleId, fase, annullertUnderveis }) => ({
        avtaleId,
        ...(fase === undefined ? {} : { fase, annullertUnderveis: annullertUnderveis ?? false }),
      })),
    };
  }

  private world(): Parameters<Scenario['plant']>[0] {
    return {
      today: this.clock.today(),
      newPerson: (kind) => syntheticFnr(this.numbers.next(), kind),
      newBedrift: () => syntheticOrgnr(this.numbers.next()),
    };
  }
}

/** @throws Problem 400 */
function chosenCount({ count }: Scenario, chosen: number | undefined): number {
  if (chosen === undefined) return count?.default ?? 1;
  const max = count?.max ?? 0;
  if (chosen <= max) return chosen;
  const message = count ? `must not be more than ${String(max)}` : 'can not be chosen in this scenario';
  throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid', {
    feil: [{ felt: 'antall', melding: message }],
  });
}
