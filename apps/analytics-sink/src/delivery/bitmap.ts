/** Yes and no, one bit each, as base64url: a plan says with it which of its marks are sent. */
export function toBitmap(answers: readonly boolean[]): string {
  const bytes = Buffer.alloc(Math.ceil(answers.length / 8));
  for (const [n, yes] of answers.entries()) if (yes) bytes[n >>> 3] = (bytes[n >>> 3] ?? 0) | (1 << (n & 7));
  return bytes.toString("base64url");
}

/** The yes or no at a place. */
export function fromBitmap(bitmap: string): (at: number) => boolean {
  const bytes = Buffer.from(bitmap, "base64url");
  return (at) => ((bytes[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
}
