/** What the processes of all tests inherit, and the emulators that they start. */
export function shareEnvironment(): void {
  // Nobody is to look for Google's metadata server here.
  process.env["METADATA_SERVER_DETECTION"] = "none";
}
