import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { NestedList } from '@tiltak/platform';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsInt,
  IsNumber,
  IsOptional,
  Max,
  MaxLength,
  Min,
  ValidateBy,
} from 'class-validator';
import { isSynthetic, SYNTHETIC_ONLY, tellsOfNobody } from '../planting/synthetic.ts';

const MAX_TEXT = 1_000;
/** As much as the product takes of one person's idents in a question. */
const MAX_IDENTS = 10;

/** A text that can't be about a person who exists. */
function MadeUpText(description: string, example: string, maxLength = MAX_TEXT): PropertyDecorator {
  const rule = {
    name: 'madeUp',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && tellsOfNobody(value),
      defaultMessage: () => `must be text; what looks like a national ident in it ${SYNTHETIC_ONLY}`,
    },
  };
  return applyDecorators(
    ApiPropertyOptional({ type: String, description, example, maxLength }),
    IsOptional(),
    MaxLength(maxLength),
    ValidateBy(rule),
  );
}

function SyntheticIdent(options: { each?: boolean } = {}): PropertyDecorator {
  const rule = {
    name: 'synthetic',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isSynthetic(value),
      defaultMessage: () => SYNTHETIC_ONLY,
    },
  };
  return ValidateBy(rule, options);
}

/** What kind of date or moment it must be, the product itself says. */
const DateText = (description: string, example: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, format: 'date', description, example }),
    IsOptional(),
    MaxLength(50),
  );
const MomentText = (description: string, example: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, format: 'date-time', description, example }),
    IsOptional(),
    MaxLength(50),
  );
const Flag = (description: string): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ type: Boolean, description, example: false }), IsOptional(), IsBoolean());
const Decimal = (description: string, example: number): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ type: Number, description, example }), IsOptional(), IsNumber());

@ApiSchema({
  name: 'Avtaleinnhold',
  description: 'All that the avtale says from now on. A field that is left out is null',
})
export class AvtaleinnholdDto {
  @ApiPropertyOptional({ description: `National ident of the participant, which ${SYNTHETIC_ONLY}`, type: String })
  @IsOptional()
  @SyntheticIdent()
  deltakerFnr?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'The number people use; the next one unless told', example: 7 })
  @IsOptional()
  @IsInt()
  avtaleNr?: number;

  @MadeUpText('Organisation number of the employer, or anything else that the source may have', '310825515', 20)
  bedriftNr?: string;

  @MadeUpText('Name of the employer', 'SYNTETISK BAKERI AS')
  bedriftNavn?: string;

  @MadeUpText('NAV-ident of the veileder', 'Z992785', 50)
  veilederNavIdent?: string;

  @MadeUpText('Any code: one that is not known is answered as UKJENT. ARBEIDSTRENING unless told', 'SOMMERJOBB', 100)
  tiltakstype?: string;

  @MadeUpText('Any code. Unless told, what the source would work out at night', 'GJENNOMFORES', 100)
  avtaleStatus?: string;

  @MadeUpText('Any code', 'MIDLERTIDIG', 100)
  stillingstype?: string;

  @MadeUpText('Any code. VEILEDER unless told', 'ARENA', 100)
  opphav?: string;

  @DateText('First day', '2026-02-01')
  startDato?: string;

  @DateText('Last day', '2026-07-31')
  sluttDato?: string;

  @MomentText('When it was entered into by all parties; without it, it is a draft', '2026-01-30T12:15:00Z')
  avtaleInngaatt?: string;

  @MomentText('When it was annulled', '2026-03-01T08:00:00Z')
  annullertTidspunkt?: string;

  @MomentText('When the participant approved', '2026-01-29T08:00:00Z')
  godkjentAvDeltaker?: string;

  @MomentText('When the employer approved', '2026-01-29T09:30:00Z')
  godkjentAvArbeidsgiver?: string;

  @MomentText('When the veileder approved', '2026-01-30T12:15:00Z')
  godkjentAvVeileder?: string;

  @MomentText('When the beslutter approved', '2026-01-30T13:00:00Z')
  godkjentAvBeslutter?: string;

  @MadeUpText('NAV-ident of the veileder who approved', 'Z992785', 50)
  godkjentAvNavIdent?: string;

  @MadeUpText('NAV-ident of the beslutter who approved', 'Z992786', 50)
  godkjentAvBeslutterNavIdent?: string;

  @MomentText('When it was created; now unless told', '2026-01-18T07:43:53Z')
  opprettetTidspunkt?: string;

  @MomentText(
    'When it was last changed; now unless told. One that is older than what is known changes nothing',
    '2026-02-01T08:00:00Z',
  )
  sistEndret?: string;

  @Decimal('Percentage of a full position', 80)
  stillingprosent?: number;

  @Decimal('Days per week', 4)
  antallDagerPerUke?: number;

  @Flag('The veileder approved on behalf of the participant')
  godkjentPaaVegneAv?: boolean;

  @Flag('The veileder approved on behalf of the employer')
  godkjentPaaVegneAvArbeidsgiver?: boolean;

  @Flag('Wrongly registered: consumers are not shown it')
  feilregistrert?: boolean;

  @Flag('The reason for the annulment is that nobody ever came')
  aldriBegynt?: boolean;
}

@ApiSchema({
  name: 'Virksomhetsinnhold',
  description: 'All that the register says of the virksomhet from now on. A field that is left out is null',
})
export class VirksomhetsinnholdDto {
  @MadeUpText('Name in the register', 'SYNTETISK BAKERI AS')
  navn?: string;

  @MadeUpText('Form of organisation, as the register codes it', 'BEDR', 100)
  organisasjonsform?: string;

  @MadeUpText(
    'The unit right above it, 9 digits; one that has not been planted is one that has not come',
    '310712217',
    20,
  )
  overordnetEnhet?: string;

  @MadeUpText('Its first industry code', '69.201', 100)
  naeringskode?: string;

  @MadeUpText('Municipality of its postal address, 4 digits', '0301', 100)
  kommunenummer?: string;

  @DateText('The day that it was struck off the register', '2026-03-01')
  slettetDato?: string;

  @MomentText(
    'When it was last changed; now unless told. One that is older than what is known changes nothing',
    '2026-02-01T08:00:00Z',
  )
  sistEndret?: string;
}

export const PLANT_OUTCOMES = ['TATT_INN', 'UENDRET', 'FORELDET', 'SLETTET'] as const;

@ApiSchema({ name: 'PlantetAvtale' })
export class PlantetAvtaleDto {
  @ApiProperty({ type: String, format: 'uuid', description: 'The avtale' })
  avtaleId: string;

  @ApiProperty({
    enum: PLANT_OUTCOMES,
    description: 'TATT_INN: it says this now. UENDRET: it did already. FORELDET: what is known is newer',
  })
  utfall: (typeof PLANT_OUTCOMES)[number];
}

@ApiSchema({ name: 'PlantetVirksomhet' })
export class PlantetVirksomhetDto {
  @ApiProperty({ description: 'The virksomhet', example: '310825518' })
  organisasjonsnummer: string;

  @ApiProperty({ enum: PLANT_OUTCOMES, description: 'As of an avtale' })
  utfall: (typeof PLANT_OUTCOMES)[number];
}

@ApiSchema({ name: 'Person' })
export class PersonDto {
  @ApiProperty({
    type: [String],
    minItems: 1,
    maxItems: MAX_IDENTS,
    description: `All idents of one person, the current one first; each ${SYNTHETIC_ONLY}`,
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_IDENTS)
  @ArrayUnique()
  @SyntheticIdent({ each: true })
  identer: string[];
}

@ApiSchema({ name: 'ScenarioValg' })
export class ScenariovalgDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'How many, in a scenario that says how many it can be',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(5_000)
  antall?: number;
}

@ApiSchema({ name: 'ScenarioAvtale' })
export class ScenarioavtaleDto {
  @ApiProperty({ type: String, format: 'uuid' })
  avtaleId: string;

  @ApiPropertyOptional({ type: String, description: 'Its phase today; absent when consumers are not shown it' })
  fase?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Whether it was annulled under way' })
  annullertUnderveis?: boolean;
}

@ApiSchema({ name: 'PlantetScenario' })
export class PlantetScenarioDto {
  @ApiProperty({ description: 'Its name' })
  navn: string;

  @NestedList(() => PersonDto)
  @ApiProperty({ type: [PersonDto], description: 'Persons whom nobody else has: each call plants others' })
  personer: PersonDto[];

  @NestedList(() => ScenarioavtaleDto)
  @ApiProperty({ type: [ScenarioavtaleDto] })
  avtaler: ScenarioavtaleDto[];
}

@ApiSchema({ name: 'Scenario' })
export class ScenarioDto {
  @ApiProperty({ description: 'What it is planted by' })
  navn: string;

  @ApiProperty({ description: 'What it is' })
  beskrivelse: string;

  @ApiPropertyOptional({ type: 'integer', description: 'The most that can be asked for, where it can be' })
  maksAntall?: number;
}

@ApiSchema({ name: 'Scenarier' })
export class ScenarierDto {
  @ApiProperty({ type: [ScenarioDto] })
  scenarier: ScenarioDto[];
}
