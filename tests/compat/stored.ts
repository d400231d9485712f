import { z } from "zod";

/** Where documents are: a project's database in the emulator. */
export interface Place {
  project: string;
  database: string;
}

/**
 * One document, a line of the recorded data. `fields` are as Firestore's own REST interface writes them: each value with its type, so
 * that what is loaded is what was stored, to the last bit.
 */
export const storedDocument = z.strictObject({
  project: z.string(),
  database: z.string(),
  path: z.string(),
  fields: z.record(z.string(), z.unknown()),
});
export type StoredDocument = z.infer<typeof storedDocument>;

const answer = z.array(
  z.looseObject({
    document: z
      .looseObject({ name: z.string(), fields: z.record(z.string(), z.unknown()).default({}) })
      .optional(),
  }),
);

/** Documents in one commit. */
const atOnce = 200;
const dayMs = 86_400_000;

/** Every document of a database, sorted by path. */
export async function dump(host: string, { project, database }: Place): Promise<StoredDocument[]> {
  const body = { structuredQuery: { from: [{ allDescendants: true }] } };
  const found = answer.parse(await ask(host, "POST", `v1/${rootOf({ project, database })}:runQuery`, body));
  const root = `${rootOf({ project, database })}/`;
  return found
    .flatMap(({ document }) => (document === undefined ? [] : [document]))
    .map(({ name, fields }) => ({ project, database, path: name.slice(root.length), fields }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Put documents where they were. Receipts stand for a day: theirs is begun anew, so that they can be looked for. All else
 * is as it was, dates included.
 */
export async function load(host: string, documents: readonly StoredDocument[]): Promise<void> {
  const expiresAt = { timestampValue: new Date(Date.now() + dayMs).toISOString() };
  for (const [place, own] of Map.groupBy(documents, rootOf)) {
    for (let n = 0; n < own.length; n += atOnce) {
      const writes = own.slice(n, n + atOnce).map(({ path, fields }) => ({
        update: {
          name: `${place}/${path}`,
          fields: path.includes("/idempotency/") ? { ...fields, expiresAt } : fields,
        },
      }));
      await ask(host, "POST", `v1/${place}:commit`, { writes });
    }
  }
}

/** Delete all that a database of the emulator holds. */
export async function clear(host: string, place: Place): Promise<void> {
  await ask(host, "DELETE", `emulator/v1/${rootOf(place)}`);
}

function rootOf({ project, database }: Place): string {
  return `projects/${project}/databases/${database}/documents`;
}

async function ask(host: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`http://${host}/${path}`, {
    method,
    headers: { authorization: "Bearer owner", "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`the emulator answers ${response.status} to ${path}: ${text.slice(0, 500)}`);
  return text === "" ? undefined : JSON.parse(text);
}
