/** How the CLI ends: 0 it is done; 1 it could not be done; 2 the command line is wrong; 130 interrupted twice. */
export declare const exitCodes: {
  readonly done: 0;
  readonly failed: 1;
  readonly usage: 2;
  readonly interrupted: 130;
};
/** A failure that is told to the operator as it is, without a stack. */
export declare class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode?: number);
}
