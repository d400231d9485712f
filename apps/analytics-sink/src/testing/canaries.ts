import { createHash } from "node:crypto";

/**
 * Every form in which a secret could slip through: as it is, in another case, encoded, backwards, or hashed without a key.
 * Shorter than 6 characters a form would be found by chance.
 */
export function formsOf(secret: string): Map<string, string> {
  const bytes = Buffer.from(secret);
  const forms: [string, string][] = [
    ["raw", secret],
    ["lower case", secret.toLowerCase()],
    ["upper case", secret.toUpperCase()],
    ["reversed", backwards(secret)],
    ["hex", bytes.toString("hex")],
    ["base64", bytes.toString("base64").replace(/=+$/, "")],
    ["base64url", bytes.toString("base64url")],
    ["percent", encodeURIComponent(secret)],
  ];
  for (const algorithm of ["md5", "sha1", "sha256", "sha512"]) {
    for (const [how, text] of [
      ["", secret],
      [" of lower case", secret.toLowerCase()],
    ] as const) {
      const digest = createHash(algorithm).update(text).digest();
      forms.push([`${algorithm}${how}`, digest.toString("hex").slice(0, 20)]);
      forms.push([`${algorithm}${how}, base64`, digest.toString("base64").slice(0, 14)]);
      forms.push([`${algorithm}${how}, base64url`, digest.toString("base64url").slice(0, 14)]);
    }
  }
  return new Map(forms.filter(([, form]) => form.length >= 6));
}

export const backwards = (text: string): string => Array.from(text).reverse().join("");

export interface Found {
  secret: string;
  form: string;
  where: string;
}

/** Looks for secrets, in every form, in whatever left the cell. */
export class CanaryWatch {
  /** Form → what it is of. */
  readonly #forms = new Map<string, { secret: string; form: string }>();

  constructor(secrets: Iterable<string>) {
    for (const secret of secrets) {
      for (const [form, text] of formsOf(secret)) this.#forms.set(text, { secret, form });
    }
  }

  /** What is found in a text, or in bytes read as Latin 1, also without regard to case. */
  search(where: string, content: string | Uint8Array): Found[] {
    const text = typeof content === "string" ? content : Buffer.from(content).toString("latin1");
    const folded = text.toLowerCase();
    return [...this.#forms]
      .filter(([form]) => text.includes(form) || folded.includes(form.toLowerCase()))
      .map(([, found]) => ({ ...found, where }));
  }
}
