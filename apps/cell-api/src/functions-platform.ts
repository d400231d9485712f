/**
 * The functions platform parses bodies before we see them. For one that is not JSON it prints an error whose message
 * quotes the body, and answers with the stack. Imported before anything else, this keeps both to themselves.
 */

const withheld = "SyntaxError: the platform could not parse a request's body (not shown: it may be personal)";

// oxlint-disable-next-line no-console -- The platform prints with it.
const print = console.error.bind(console);

/** What is printed instead; everything but a parser's complaint stays as it is. */
export function withoutBodies(args: readonly unknown[]): unknown[] {
  return args.map((arg) => {
    const text = arg instanceof Error ? (arg.stack ?? String(arg)) : arg;
    return typeof text === "string" && text.startsWith("SyntaxError") ? withheld : arg;
  });
}

// oxlint-disable-next-line no-console -- See above.
console.error = (...args: unknown[]) => print(...withoutBodies(args));

// Express reads it when the platform starts to listen, after this: without it answers show stacks.
// oxlint-disable-next-line node/no-process-env -- The variable is the platform's, not ours.
process.env["NODE_ENV"] ??= "production";
