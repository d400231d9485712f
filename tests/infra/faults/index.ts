import { cellFaults } from "./cell.ts";
import { edgeFaults } from "./edge.ts";
import type { PlantedFault } from "./planted.ts";
import { sharedFaults } from "./shared.ts";

export const plantedFaults: readonly PlantedFault[] = [...cellFaults, ...edgeFaults, ...sharedFaults];
