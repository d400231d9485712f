/** What an unknown error says: its message, or the thing itself as text when it is no `Error`. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
