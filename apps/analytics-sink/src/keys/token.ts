import { z } from "zod";

const answer = z.object({ access_token: z.string().min(1), expires_in: z.number() });
const metadata = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";

/** Access tokens of the service account that this process runs as, from the platform's metadata server, kept until a minute before their end. */
export function serviceAccountToken(url = metadata): () => Promise<string> {
  let known: { token: string; until: number } | undefined;
  return async () => {
    if (known !== undefined && Date.now() < known.until) return known.token;
    const response = await fetch(url, {
      headers: { "metadata-flavor": "Google" },
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) throw new Error(`the metadata server answered ${response.status}`);
    const { access_token: token, expires_in: seconds } = answer.parse(await response.json());
    known = { token, until: Date.now() + (seconds - 60) * 1000 };
    return token;
  };
}
