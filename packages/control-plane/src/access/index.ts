export { makeApiKey } from "@proveniq/tenant-context/credentials";
export { listAudit } from "./audit.ts";
export {
  adoptKey,
  type CreatedKey,
  type CreateKey,
  createKey,
  type KeySummary,
  listKeys,
  revokeKey,
} from "./keys.ts";
export { getTenantSettings, setTenantSettings } from "./settings.ts";
