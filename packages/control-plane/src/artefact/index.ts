export { commitOf } from "./commit.ts";
export { digestFolder, digestOf, filesOf } from "./digest.ts";
export { loadEntries } from "./load-entries.ts";
export { type Packed, packArtefact, readBuilt, readPacked, unpackArtefact, zipSha256Of } from "./pack.ts";
