export type { ConformanceCase, Observed } from "./case.ts";
export { conformanceCases, serverCases } from "./cases.ts";
export { exchangeRaw, statusesIn } from "./raw-client.ts";
export { observe } from "./run.ts";
export { type ScriptedCell, startScriptedCell } from "./scripted-cell.ts";
