import { readFileSync } from "node:fs";
import { cellManifest, parseFile } from "@proveniq/contracts";

const file = new URL("../../../../infra/cells/eu/cell.json", import.meta.url);

/** A real manifest: the one with two databases. */
export const testManifest = parseFile(cellManifest, "infra/cells/eu/cell.json", readFileSync(file, "utf8"));
