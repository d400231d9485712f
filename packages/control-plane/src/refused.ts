/** What was asked for cannot be done as it stands. The message is for the operator: what is wrong and what to do. */
export class RefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RefusedError";
  }
}
