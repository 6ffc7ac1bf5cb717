import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GRANTABLE_FIELDS, todayInOslo, type AvtaleField, type Tiltakstype } from '@tiltak/avtale';
import type { FastifyRequest } from 'fastify';
import { grantOf, type Grant } from '../access/grant.ts';
import { IsOperation, OPERATIONS } from '../access/operations.ts';
import { Coverage } from '../coverage/coverage.ts';
import { Lookups } from '../lookups/lookups.ts';
import { inPieces, pieces, type Written } from '../shared/in-pieces.ts';
import { LINKS, TiltaksstatuserDto, TiltaksstatusSporringDto, type Tiltaksfelt } from './personer.dto.ts';
import { EXAMPLE_IDENT, OTHER_IDENT } from './example-person.ts';
import { ON_A_MEASURE } from './on-a-measure.ts';
import { tiltakQuery } from './personer.queries.ts';
import { answererFor, type Person } from './tiltaksstatus.ts';

@ApiTags('Personer')
@Controller('api/v1/personer')
export class PersonerController {
  constructor(
    private readonly lookups: Lookups,
    private readonly coverage: Coverage,
  ) {}

  @Post('tiltaksstatus')
  @HttpCode(200)
  @IsOperation('hentTiltaksstatus', { saysWhatWasAsked: true })
  @ApiOperation({
    operationId: 'hentTiltaksstatus',
    summary: 'Is each of these persons on a measure, which, how many, for how long?',
    description:
      'The least data that answers it: one answer for each person, in the order asked. `svar` is JA, NEI or UAVKLART: the date of an annulment is when it was registered and not when the person left, and while approvals are renewed nobody can say. A person who is unknown here is answered NEI, and `dekning` says what that is worth. INKLUDERINGSTILSKUDD and MENTOR are grants to an employer and not places for a person: leave them out with `tiltakstyper` when you ask where somebody is.\n\n' +
      ON_A_MEASURE,
  })
  @ApiBody({
    type: TiltaksstatusSporringDto,
    examples: {
      dag: { summary: 'Today', value: { personidenter: [EXAMPLE_IDENT] } },
      periode: {
        summary: 'In a period, of one person with two idents',
        value: {
          personer: [{ referanse: 'sak-1', personidenter: [EXAMPLE_IDENT, OTHER_IDENT] }],
          periode: { fra: '2026-01-01', til: '2026-06-30' },
          tiltakstyper: ['ARBEIDSTRENING', 'MIDLERTIDIG_LONNSTILSKUDD'],
        },
      },
    },
  })
  @ApiOkResponse({ type: TiltaksstatuserDto, description: 'One answer for each person, in the order asked' })
  hentTiltaksstatus(
    @Body() question: TiltaksstatusSporringDto,
    @Req() request: FastifyRequest,
  ): Promise<Written<TiltaksstatuserDto>> {
    const { gjeldendePer, periode: period, tiltakstyper } = question;
    const grant = grantOf(request);
    const persons = personsIn(question);
    const idents = [...new Set(persons.flatMap(({ personidenter }) => personidenter))];
    const day = period ? period.til : question.dato;
    const date = day ?? todayInOslo(gjeldendePer === undefined ? new Date() : new Date(gjeldendePer));
    const { asked, shown, withLinks } = question.felter ? fieldsOf(grant, question.felter) : usualFields(grant);
    const lookup = {
      fields: asked,
      persons: idents,
      query: () => tiltakQuery(idents, { fields: shown, withLinks, gjeldendePer }),
    };
    return this.lookups.answer(grant, lookup, (rows) => {
      const answer = answererFor({ date, period, tiltakstyper, fields: shown, withLinks });
      const perIdent = Map.groupBy(rows, ({ nr }) => idents[nr - 1] ?? '');
      return inPieces<TiltaksstatuserDto>({
        dato: date,
        ...(period ? { periode: period } : {}),
        personer: pieces(persons, (person) => answer(person, rowsOf(person, perIdent))),
        dekning: this.coverage.of(kindsIn(grant, tiltakstyper)),
      });
    });
  }
}

/** Those asked about, of those that may be told of. */
function kindsIn({ kinds }: Grant, asked: readonly Tiltakstype[] | undefined): readonly Tiltakstype[] | undefined {
  return kinds ? kinds.published.filter((kind) => asked?.includes(kind) ?? true) : asked;
}

function personsIn({ personidenter = [], personer }: TiltaksstatusSporringDto): Person[] {
  return personer ?? personidenter.map((ident) => ({ personidenter: [ident] }));
}

/** Earliest first, over all the idents: each once, also when the register says that they are one person's. */
function rowsOf<Row extends { avtale_id: string; start_dato: string | null }>(
  { personidenter }: Person,
  perIdent: ReadonlyMap<string, Row[]>,
): Row[] {
  const [ident = '', ...others] = new Set(personidenter);
  if (others.length === 0) return perIdent.get(ident) ?? [];
  const rows = new Map([ident, ...others].flatMap((one) => perIdent.get(one) ?? []).map((row) => [row.avtale_id, row]));
  return [...rows.values()].sort((a, b) => ((a.start_dato ?? '~') < (b.start_dato ?? '~') ? -1 : 1));
}

/** What links are made of. */
const LINK_FIELDS: readonly AvtaleField[] = ['avtaleId', 'bedriftNr'];

interface Fields {
  /** that the grant must hold */
  asked: readonly AvtaleField[];
  /** that each measure is shown with: `fase` too when it is granted */
  shown: readonly AvtaleField[];
  withLinks: boolean;
}

/** By what is granted: of a request that chooses none. */
const usual = new WeakMap<Grant['fields'], Fields>();

function usualFields(grant: Grant): Fields {
  const fields = usual.get(grant.fields) ?? fieldsOf(grant, []);
  usual.set(grant.fields, fields);
  return fields;
}

function fieldsOf({ fields }: Grant, chosen: readonly Tiltaksfelt[]): Fields {
  const withLinks = chosen.includes(LINKS);
  const own: readonly AvtaleField[] = OPERATIONS.hentTiltaksstatus;
  const wanted = GRANTABLE_FIELDS.filter(
    (field) => own.includes(field) || chosen.includes(field) || (field === 'fase' && fields.has('fase')),
  );
  const shown = [...own, ...wanted.filter((field) => !own.includes(field))];
  return { asked: [...new Set([...shown, ...(withLinks ? LINK_FIELDS : [])])], shown, withLinks };
}
