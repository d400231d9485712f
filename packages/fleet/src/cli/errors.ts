/** How the CLI ends: 0 it is done; 1 it could not be done; 2 the command line is wrong; 130 interrupted twice. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A failure that is told to the operator as it is, without a stack. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
