export { LookupCache, type LookupCacheOptions } from "./lookup-cache.ts";
export { AccessReader, type AccessReaderOptions, type TenantPlace } from "./reader.ts";
