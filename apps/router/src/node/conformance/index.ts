export { type ConformanceCase, conformanceCases, type Observed } from "./cases.ts";
export { observe } from "./run.ts";
export { type ScriptedCell, startScriptedCell } from "./scripted-cell.ts";
