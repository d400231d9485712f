export { nodeProver } from "./prover.ts";
export { makeSecret, type RotationStep, rotated, rotationSteps } from "./secrets.ts";
export { secretCommands, secretName } from "./store.ts";
