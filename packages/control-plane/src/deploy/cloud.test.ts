import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { config, manifest } from "../testing.ts";
import { CloudTarget, type CommandLine, commandLines, textOf } from "./cloud.ts";
import { readTraffic } from "./monitoring.ts";
import { runIn } from "./run.ts";

const artefact = { digest: "a".repeat(64), zipSha256: "b".repeat(64), commit: "c0ffee" };
const fleet = { config, manifests: { eu: manifest("eu", { residency: "eu", region: "europe-west1" }) } };
const { project } = config.central;

/** Stands in for the cloud's programs: writes down what it was told, and says what they would. */
function recording(answers: Record<string, string> = {}) {
  const ran: string[] = [];
  const run = async (command: CommandLine) => {
    const text = textOf(command);
    ran.push(text);
    const answer = Object.entries(answers).find(([part]) => text.includes(part));
    if (answer?.[1] === "fails") throw new Error("failed");
    return answer?.[1] ?? "";
  };
  return { ran, run };
}

const target = (run: (command: CommandLine) => Promise<string>, canaryKey: string | undefined = "key") =>
  new CloudTarget({ fleet, run, canaryKey, prove: () => ({}) });

describe("a deploy to the cloud", () => {
  it("runs what its plan shows: Terraform on the cell's own state, with the artefact's name", async () => {
    const { ran, run } = recording();
    await target(run).apply("eu", artefact);
    expect(ran).toEqual([
      `TF_DATA_DIR=.terraform/eu TF_IN_AUTOMATION=1 terraform -chdir=infra/terraform/roots/cell init -input=false -backend-config=bucket=${project}-tfstate -backend-config=prefix=cells/eu`,
      expect.stringMatching(
        /terraform -chdir=infra\/terraform\/roots\/cell plan -input=false -out=\S+\/eu\.tfplan -var=cell_id=eu -var=artefact_digest=a{64} -var=artefact_object=cells\/b{64}\.zip -var=git_commit=c0ffee$/,
      ),
      expect.stringMatching(/terraform -chdir=\S+ apply -input=false \S+\/eu\.tfplan$/),
    ]);
  });

  it("stops where a command fails", async () => {
    const { ran, run } = recording({ " plan ": "fails" });
    await expect(target(run).apply("eu", artefact)).rejects.toThrow("failed");
    expect(ran.some((text) => text.includes(" apply "))).toBe(false);
  });

  it("uploads by the zip's own hash, and never over another", () => {
    const packed = {
      folder: "/x/it's",
      zip: "cell.zip",
      sbom: "sbom.cdx.json",
      zipSha256: artefact.zipSha256,
    };
    expect(commandLines.upload(config.central, packed).map(textOf)).toEqual([
      `gcloud storage cp --no-clobber '/x/it'\\''s/cell.zip' gs://${project}-artefacts/cells/${artefact.zipSha256}.zip`,
      `gcloud storage cp --no-clobber '/x/it'\\''s/sbom.cdx.json' gs://${project}-artefacts/cells/${artefact.zipSha256}.sbom.json`,
    ]);
  });

  it("knows what a cell runs from its state, and knows that it does not know", async () => {
    const said = JSON.stringify({
      digest: artefact.digest,
      object: `cells/${artefact.zipSha256}.zip`,
      commit: "c0ffee",
    });
    expect(await target(recording({ output: said }).run).current("eu")).toEqual(artefact);
    expect(await target(recording({ output: "fails" }).run).current("eu")).toBeUndefined();
  });

  it("tries a cell on a host that admits its residency, with a key that must be given", async () => {
    const access = await target(recording().run).canary("eu");
    expect(access).toEqual({ url: "https://eu.proveniq.io", tenantId: "canary-eu", key: "key" });
    const keyless = new CloudTarget({ fleet, run: recording().run, canaryKey: undefined, prove: () => ({}) });
    expect(() => keyless.canary("eu")).toThrow("FLEET_CANARY_KEY is not set");
  });
});

describe("the programs of the cloud, as processes", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "programs-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A program of this name that writes down how it was called, and then does this. */
  async function record(name: string, then: string): Promise<void> {
    const file = join(folder, name);
    const line = `"${name} $* | data in $TF_DATA_DIR | $(pwd)"`;
    await writeFile(file, `#!/bin/sh\necho ${line} >> "$(dirname "$0")/calls"\n${then}\n`);
    await chmod(file, 0o755);
  }
  const run = () => runIn("/", { PATH: `${folder}:${process.env["PATH"]}` });
  const calls = async () => (await readFile(join(folder, "calls"), "utf8")).trim().split("\n");

  it("are called as the plan shows them, where the repository is, each cell with a working folder of its own", async () => {
    await record("terraform", "exit 0");
    await target(run()).apply("eu", artefact);
    expect(await calls()).toEqual([
      expect.stringMatching(
        /^terraform -chdir=infra\/terraform\/roots\/cell init .* \| data in \.terraform\/eu \| \/$/,
      ),
      expect.stringMatching(/^terraform -chdir=\S+ plan .*-var=git_commit=c0ffee \|/),
      expect.stringMatching(/^terraform -chdir=\S+ apply -input=false \S+\/eu\.tfplan \|/),
    ]);
  });

  it("that fail are told with the end of their own words, and nothing runs after them", async () => {
    await record("terraform", 'case "$*" in *plan*) echo "Error: quota" >&2; exit 1;; esac');
    await expect(target(run()).apply("eu", artefact)).rejects.toThrow(
      "terraform plan failed (exit code 1):\nError: quota",
    );
    expect((await calls()).some((call) => call.includes(" apply "))).toBe(false);
  });

  it("that are not there are named", async () => {
    const nowhere = runIn("/", { PATH: folder });
    await expect(nowhere(commandLines.token())).rejects.toThrow(
      "gcloud is not installed, or not in the PATH",
    );
  });
});

/** Stands in for Cloud Monitoring. */
let server: Server | undefined;
afterEach(() => server?.close());

async function monitoring(
  answers: (metric: string) => unknown,
  status = 200,
): Promise<{ api: string; asked: URL[] }> {
  const asked: URL[] = [];
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    if (request.headers.authorization === "Bearer token") asked.push(url);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(answers(url.searchParams.get("filter") ?? "")));
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe("what Cloud Monitoring says of a cell", () => {
  const classes = (name: string, n: number) => ({
    metric: { labels: { response_code_class: name } },
    points: [{ value: { int64Value: String(n) } }],
  });
  const ask = (api: string) => {
    const abort = new AbortController();
    const question = {
      api,
      token: async () => "token",
      project: "p",
      service: "eu-api",
      signal: abort.signal,
    };
    // The minute has passed already, as far as the question is concerned.
    return readTraffic({ ...question, seconds: 1 }, -60_000);
  };

  it("is the sum of its requests, those that failed, and the slowest minute", async () => {
    const { api, asked } = await monitoring((filter) =>
      filter.includes("request_count")
        ? { timeSeries: [classes("2xx", 90), classes("5xx", 4)] }
        : { timeSeries: [{ points: [{ value: { doubleValue: 80.5 } }, { value: { doubleValue: 120 } }] }] },
    );
    expect(await ask(api)).toEqual({ seconds: 60, requests: 94, failed: 4, p95Ms: 120 });
    expect(asked).toHaveLength(2);
    expect(asked[0]?.pathname).toBe("/v3/projects/p/timeSeries");
    expect(asked[0]?.searchParams.get("filter")).toContain('service_name = "eu-api"');
  });

  it("is nothing, which is not the same as well, when there are no points or no answer", async () => {
    const { api } = await monitoring(() => ({}));
    expect(await ask(api)).toBeUndefined();
    server?.close();
    const denied = await monitoring(() => ({}), 403);
    await expect(ask(denied.api)).rejects.toThrow("answers 403");
  });
});
