export { firestoreShares } from "./firestore-shares.ts";
export { LeaseHeld, LeaseLost } from "./lease.ts";
export { SharedBudget, type SharedBudgetOptions, type ShareStore } from "./shared-budget.ts";
export { type Clocks, systemClocks, Term } from "./term.ts";
