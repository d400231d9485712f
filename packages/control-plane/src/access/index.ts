export { listAudit } from "./audit.ts";
export { type CreatedKey, type CreateKey, createKey, type KeySummary, listKeys, revokeKey } from "./keys.ts";
export { getTenantSettings, setTenantSettings } from "./settings.ts";
