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

process.exitCode = (await program(process.argv.slice(2))) ?? process.exitCode;
