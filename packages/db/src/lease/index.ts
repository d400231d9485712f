export { firestoreShares } from "./firestore-shares.ts";
export { SharedBudget, type SharedBudgetOptions, type ShareStore } from "./shared-budget.ts";
export { type Clocks, systemClocks, Term } from "./term.ts";
