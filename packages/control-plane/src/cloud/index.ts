export { type BringUp, type CloudInputs, statesToDestroy, stepsOf } from "./bring-up.ts";
export { looksOf } from "./doctor.ts";
export { Google } from "./google.ts";
export { type InitOptions, initialised } from "./init.ts";
export { type State, States } from "./states.ts";
export { examineSteps, runSteps, type Step, type StepResult } from "./steps.ts";
