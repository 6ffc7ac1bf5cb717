/** What is to go wrong with calls of an operation. */
export interface Fault {
  /** an operationId, or all of them */
  operation: string | undefined;
  /** answered instead of asking the query-api; undefined: it is asked */
  status: number | undefined;
  /** of an answer that tells when to come again, seconds */
  retryAfter: number | undefined;
  /** before anything is answered */
  delayMs: number;
  /** of the answer's body, after which the connection breaks */
  cutAfterBytes: number | undefined;
  /** calls that it still befalls */
  left: number;
}

/** In the order in which they were asked for: a call takes the first that fits it. */
export class Faults {
  private faults: Fault[] = [];

  add(fault: Fault): void {
    this.faults.push(fault);
  }

  list(): readonly Fault[] {
    return this.faults;
  }

  clear(): void {
    this.faults = [];
  }

  take(operation: string): Fault | undefined {
    const fault = this.faults.find((one) => one.operation === undefined || one.operation === operation);
    if (!fault) return undefined;
    fault.left--;
    this.faults = this.faults.filter(({ left }) => left > 0);
    return fault;
  }
}
