import { type Bucket, type File, Storage } from "@google-cloud/storage";
import { byName, type Inbox, type Waiting } from "./inbox.ts";

const folders = { waiting: "incoming/", published: "published/", refused: "refused/" };

/**
 * An inbox that is a bucket: objects below `incoming/` wait, those below `published/` and `refused/` were looked at. Objects come
 * whole or not at all; each is copied first and deleted then, so that a process that dies in between leaves two, which are equal.
 */
export class BucketInbox implements Inbox {
  readonly #bucket: Bucket;

  /** `endpoint`: for a stand-in of Cloud Storage on this machine. */
  constructor(bucket: string, endpoint?: string) {
    const storage = new Storage(endpoint === undefined ? {} : { apiEndpoint: endpoint, projectId: "local" });
    this.#bucket = storage.bucket(bucket);
  }

  async waiting(): Promise<Waiting[]> {
    const [files] = await this.#bucket.getFiles({ prefix: folders.waiting });
    return files
      .map((file) => ({
        name: file.name.slice(folders.waiting.length),
        version: String(file.metadata.generation),
      }))
      .filter(({ name }) => name !== "")
      .sort(byName);
  }

  async waits(object: Waiting): Promise<boolean> {
    const [exists] = await this.#waiting(object).exists();
    return exists;
  }

  read(object: Waiting): AsyncIterable<Uint8Array> {
    return this.#waiting(object).createReadStream();
  }

  async lastPublished(): Promise<string | undefined> {
    const [files] = await this.#bucket.getFiles({ prefix: folders.published });
    const last = files.sort(byName).at(-1);
    return last?.name.slice(folders.published.length);
  }

  async published(name: string): Promise<string | undefined> {
    const found = await this.#bucket.file(`${folders.published}${name}`).getMetadata().catch(orNothing);
    const sha256 = found?.[0].metadata?.["sha256"];
    return found === undefined ? undefined : String(sha256 ?? "unknown");
  }

  async keep(object: Waiting, sha256: string): Promise<void> {
    await this.#copy(object, folders.published, { sha256 });
    await this.drop(object);
  }

  async drop(object: Waiting): Promise<void> {
    await this.#waiting(object).delete({ ifGenerationMatch: object.version }).catch(orNothing);
  }

  async setAside(object: Waiting, reasons: string): Promise<void> {
    const beside = this.#bucket.file(`${folders.refused}${object.name}.reasons.txt`);
    await beside.save(`${reasons}\n`, {
      resumable: false,
      validation: "md5",
      contentType: "text/plain; charset=utf-8",
    });
    await this.#copy(object, folders.refused, {});
    await this.drop(object);
  }

  async #copy(object: Waiting, to: string, metadata: Record<string, string>): Promise<void> {
    await this.#waiting(object)
      .copy(this.#bucket.file(`${to}${object.name}`), { metadata })
      .catch(orNothing);
  }

  /** That very version: one that is written anew meanwhile is another object. */
  #waiting({ name, version }: Waiting): File {
    return this.#bucket.file(`${folders.waiting}${name}`, { generation: version });
  }
}

function orNothing(error: unknown): undefined {
  if (!(error instanceof Error && "code" in error && error.code === 404)) throw error;
}
