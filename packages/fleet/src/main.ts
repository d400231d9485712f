import { exitCodes } from "./cli/errors.ts";
import { program } from "./program.ts";

// The database's client lets calls that it is still retrying fail unhandled when it is closed; that nobody answers was said.
process.on("unhandledRejection", (error) => {
  if (!(error instanceof Error && error.message === "The client has already been terminated")) throw error;
});

// The wrapper that started this was killed, and whoever did that means this too. `up` stops its fleet first, by a listener of its own.
process.on("disconnect", () => {
  if (process.listenerCount("disconnect") === 1) process.exit(exitCodes.interrupted);
});
// Listening must not keep us alive.
process.channel?.unref();

// Whoever reads what we print, such as `head`, has read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? exitCodes.done);
  throw error;
});

const failed = await program(process.argv.slice(2));
process.exitCode = failed ?? process.exitCode;
// A call that a dead database never answers is retried for half a minute, and nobody waits for that once the error is said.
if (failed !== undefined && failed !== exitCodes.done)
  process.stdout.write("", () => process.stderr.write("", () => process.exit()));
