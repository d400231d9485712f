export { auditResidency, type Evidence, type ResidencyAudit } from "./audit.ts";
export { dayOf, type IssuerVerdict, identityFaults, judgeIssuer } from "./identity.ts";
