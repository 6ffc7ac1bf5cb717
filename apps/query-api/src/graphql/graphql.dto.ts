import { IgnoresUnknown } from '@tiltak/platform';
import { IsObject, IsOptional, IsString, MaxLength } from 'class-validator';

/** A request, as GraphQL over HTTP has it; one, never a list of them. Clients may add to it what other servers know. */
@IgnoresUnknown()
export class GraphqlForesporselDto {
  @IsString()
  @MaxLength(20_000)
  query: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  operationName?: string | null;

  @IsOptional()
  @IsObject()
  variables?: Record<string, unknown> | null;

  /** Clients may send it; nothing here reads it. */
  @IsOptional()
  @IsObject()
  extensions?: Record<string, unknown> | null;
}
