/** Milliseconds since 1970 of a Firestore timestamp, as it comes out of a document. Throws when it is not one. */
export function millisOf(value: unknown): number {
  if (
    typeof value === "object" &&
    value !== null &&
    "toMillis" in value &&
    typeof value.toMillis === "function"
  ) {
    const millis: unknown = value.toMillis();
    if (typeof millis === "number") return millis;
  }
  throw new Error("a document without a time where one belongs");
}
