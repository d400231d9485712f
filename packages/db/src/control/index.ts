export { AccessWriter, readAudit } from "../access/writer.ts";
export { establishTenant, type NewTenant, retireTenant, TenantInUse } from "../claims/writer.ts";
export { setPause } from "../pauses/writer.ts";
export { DeployBook } from "./deploys.ts";
export { type Origin, Registry, type RegistrySnapshot } from "./registry.ts";
