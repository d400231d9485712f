import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Residency, writeSecrets } from "@proveniq/contracts";
import { z } from "zod";
import type { Packed } from "../artefact/index.ts";
import { makeSecret } from "../proof/index.ts";
import { RefusedError } from "../refused.ts";
import type { Google } from "./google.ts";
import type { Step } from "./steps.ts";

const anything = z.looseObject({});
const versions = z.object({ versions: z.array(z.looseObject({ state: z.string().optional() })).default([]) });

const hasVersion = async (google: Google, path: string): Promise<boolean> =>
  ((await google.find("secrets", `${path}/versions`, versions))?.versions ?? []).some(
    (v) => v.state === "ENABLED",
  );

/** By which a residency's cells know the fleet: made here, and kept nowhere else. */
export function proofStep(google: Google, of: Residency, project: string): Step {
  const path = `projects/${project}/secrets/fleet-proof-${of}`;
  return {
    name: `proof of ${of}`,
    done: () => hasVersion(google, path),
    work: async () => {
      const data = Buffer.from(writeSecrets([makeSecret(of)])).toString("base64");
      await google.ask("secrets", "POST", `${path}:addVersion`, anything, { payload: { data } });
    },
    mend: `npx fleet secrets make ${of} | gcloud secrets versions add fleet-proof-${of} --project=${project} --data-file=-`,
  };
}

/** Where a residency's router reads the directory: only who has made the Edge Config knows. */
export function directoryStep(google: Google, of: Residency, project: string): Step {
  return {
    name: `directory's address of ${of}`,
    done: () => hasVersion(google, `projects/${project}/secrets/edge-config-${of}`),
    mend: `give the router the connection string of the directory, without a line's end: gcloud secrets versions add edge-config-${of} --project=${project} --data-file=-`,
  };
}

/** What cells run, in the artefact bucket. */
export function artefactStep(google: Google, central: string, packed: () => Promise<Packed>): Step {
  const bucket = `${central}-artefacts`;
  return {
    name: "artefact",
    done: async () => {
      const name = encodeURIComponent(`cells/${(await packed()).zipSha256}.zip`);
      return (await google.find("storage", `b/${bucket}/o/${name}`, anything)) !== undefined;
    },
    work: async () => {
      const { folder, zip, sbom, zipSha256 } = await packed();
      const upload = async (file: string, suffix: string, isTolerant = false) => {
        const name = encodeURIComponent(`cells/${zipSha256}.${suffix}`);
        const path = `/upload/storage/v1/b/${bucket}/o?uploadType=media&ifGenerationMatch=0&name=${name}`;
        const bytes = new Uint8Array(await readFile(join(folder, file)));
        await google.ask("storage", "POST", path, anything, bytes).catch((error: unknown) => {
          if (!isTolerant) throw error;
        });
      };
      // An earlier try may have left it.
      await upload(sbom, "sbom.cdx.json", true);
      await upload(zip, "zip");
    },
    mend: `npx fleet pack --out artefact && gcloud storage cp artefact/DIGEST/*.zip gs://${bucket}/cells/SHA256.zip`,
  };
}

const layout = z.object({ manifests: z.array(z.looseObject({ digest: z.string() })).length(1) });

/** Digest of an image in a folder that `npm run images` wrote. */
export async function imageDigest(folder: string, name: string): Promise<string> {
  const file = join(folder, name, "index.json");
  const text = await readFile(file, "utf8").catch(() => {
    throw new RefusedError(`${file} is not there: npm run images -- --out ${folder}`);
  });
  const [manifest] = layout.parse(JSON.parse(text)).manifests;
  if (manifest === undefined) throw new RefusedError(`${file} names no image`);
  return manifest.digest;
}

/** An image in the repository of the project that runs it; `image` is its name without a digest. */
export function imageStep(google: Google, image: string, folder: string): Step {
  const [registry = "", project = "", repository = "", name = ""] = image.split("/");
  const place = registry.replace("-docker.pkg.dev", "");
  const copy = (digest: string) => [
    "copy",
    "--preserve-digests",
    `oci:${join(folder, name)}`,
    `docker://${image}:${digest.slice(7, 19)}`,
  ];
  return {
    name: `image ${image}`,
    done: async () => {
      const digest = await imageDigest(folder, name);
      const there = `projects/${project}/locations/${place}/repositories/${repository}/dockerImages`;
      return (
        (await google.find("images", `${there}/${encodeURIComponent(`${name}@${digest}`)}`, anything)) !==
        undefined
      );
    },
    work: async () => {
      const args = copy(await imageDigest(folder, name));
      if (google.isHere("images"))
        return `there is no registry here; it would be pushed by skopeo ${args.join(" ")}`;
      await push(registry, args, await google.token());
      return undefined;
    },
    mend: `npm run images -- --out images && skopeo copy --preserve-digests oci:images/${name} docker://${image}:COMMIT`,
  };
}

/** By a file that only we can read: a command line can be read by everybody. */
async function push(registry: string, args: readonly string[], token: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fleet-push-"));
  try {
    const file = join(folder, "auth.json");
    const auth = Buffer.from(`oauth2accesstoken:${token}`).toString("base64");
    await writeFile(file, JSON.stringify({ auths: { [registry]: { auth } } }), { mode: 0o600 });
    await promisify(execFile)("skopeo", [...args, "--authfile", file]);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new RefusedError(`skopeo is not installed: https://github.com/containers/skopeo, then again`);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
