import { program } from "./program.ts";

// The database's client lets calls that it is still retrying fail unhandled when it is closed; that nobody answers was said.
process.on("unhandledRejection", (error) => {
  if (!(error instanceof Error && error.message === "The client has already been terminated")) throw error;
});

process.exitCode = (await program(process.argv.slice(2))) ?? process.exitCode;
