import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { todayInOslo } from '@tiltak/avtale';
import type { FastifyRequest } from 'fastify';
import { jsonMapper } from '../avtaler/avtaler.fields.ts';
import { grantOf } from '../access/grant.ts';
import { IsOperation, OPERATIONS } from '../access/operations.ts';
import { Lookups } from '../lookups/lookups.ts';
import type { Query } from '../lookups/statement.ts';
import { TiltaksstatuserDto, TiltaksstatusSporringDto, type TiltakDto, type TiltaksstatusDto } from './personer.dto.ts';
import { tiltakQuery, type TiltakRow } from './personer.queries.ts';

@ApiTags('Personer')
@Controller('api/v1/personer')
export class PersonerController {
  constructor(private readonly lookups: Lookups) {}

  @Post('tiltaksstatus')
  @HttpCode(200)
  @IsOperation('hentTiltaksstatus')
  @ApiOperation({
    operationId: 'hentTiltaksstatus',
    summary: 'Is each of these persons on a measure, which, how many, for how long?',
    description: 'The least data that answers it. A person who is unknown here is answered as not on a measure.',
  })
  @ApiOkResponse({ type: TiltaksstatuserDto })
  hentTiltaksstatus(
    @Body() { personidenter, gjeldendePer, dato }: TiltaksstatusSporringDto,
    @Req() request: FastifyRequest,
  ): Promise<TiltaksstatuserDto> {
    const date = dato ?? todayInOslo(gjeldendePer === undefined ? new Date() : new Date(gjeldendePer));
    const query = (): Query<TiltakRow> => tiltakQuery(personidenter, { date, gjeldendePer });
    return this.lookups.answer(grantOf(request), { fields: FIELDS, persons: personidenter, query }, (rows) => {
      const perPerson = Map.groupBy(rows, (row) => row.nr);
      return {
        dato: date,
        personer: personidenter.map((ident, i) => toTiltaksstatus(ident, perPerson.get(i + 1) ?? [])),
      };
    });
  }
}

const FIELDS = OPERATIONS.hentTiltaksstatus;
const toTiltak = jsonMapper<TiltakDto>(FIELDS);

/** @param rows ordered by start */
function toTiltaksstatus(personident: string, rows: TiltakRow[]): TiltaksstatusDto {
  const from = rows[0]?.start_dato ?? null;
  const ends = rows.map((row) => row.slutt_dato);
  const to = ends.includes(null) ? null : (ends.sort().at(-1) ?? null);
  return {
    personident,
    paaTiltak: rows.length > 0,
    antall: rows.length,
    fra: from,
    til: to,
    antallDager: from === null ? 0 : to === null ? null : days(from, to),
    tiltak: rows.map(toTiltak),
  };
}

/** Both ends included. All measures cover the date asked about, so there is no gap between them. */
function days(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
}
