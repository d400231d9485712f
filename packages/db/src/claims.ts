export { ClaimReader, type ClaimReaderOptions, type LocatedClaim } from "./claims/reader.ts";
export { establishTenant, type NewTenant, setClaim } from "./claims/writer.ts";
