export { auditResidency, type ResidencyAudit } from "./audit.ts";
export { type Evidence, plannedBreach } from "./evidence.ts";
export { dayOf, type IssuerVerdict, identityFaults, judgeIssuer } from "./identity.ts";
