export { auditResidency, type Evidence, type ResidencyAudit } from "./audit.ts";
