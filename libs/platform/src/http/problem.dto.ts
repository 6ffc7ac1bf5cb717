import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Feltfeil' })
export class FeltfeilDto {
  @ApiProperty({ description: 'Path to the field, header or parameter', example: 'periode.til' })
  felt: string;

  @ApiProperty({ description: 'What is wrong with it', example: 'must not be before fra' })
  melding: string;
}

/** RFC 9457; the body of every answer that isn't a success. */
@ApiSchema({ name: 'Problem' })
export class ProblemDto {
  @ApiProperty({
    format: 'uri',
    description: 'Stable code of the error',
    example: 'urn:tiltak-datadeling:feil:ugyldig-foresporsel',
  })
  type: string;

  @ApiProperty({ description: 'What kind of error, in words', example: 'Bad request' })
  title: string;

  @ApiProperty({ type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status', example: 400 })
  status: number;

  @ApiProperty({ description: 'What happened, without personal data', example: 'The request is not valid' })
  detail: string;

  @ApiProperty({
    description: 'To find the request in the logs; also in the header Nav-Call-Id',
    example: 'b8b2a2f6-6f0e-4a43-9a3f-2a3a2f1a7c11',
  })
  callId: string;

  @ApiPropertyOptional({ type: [FeltfeilDto], description: 'Each thing that is wrong with the request' })
  feil?: FeltfeilDto[];
}
