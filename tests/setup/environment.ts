/** What the processes of all tests inherit, and the emulators that they start. */
export function shareEnvironment(): void {
  // Nobody is to look for Google's metadata server here.
  process.env["METADATA_SERVER_DETECTION"] = "none";
  // No emulator lives long enough to earn what Java's second compiler costs: a third of all the processor time of a run.
  process.env["JAVA_TOOL_OPTIONS"] ??= "-XX:TieredStopAtLevel=1";
}
