import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import {
  type Connections,
  databasesOf,
  type Fleet,
  loadFleet,
  openConnections,
} from "@proveniq/control-plane";
import { cloudEnvironment, type Environment } from "@proveniq/control-plane/environment";
import { root } from "./cli/paths.ts";
import type { OpenEnvironment } from "./cli/where.ts";
import { program } from "./program.ts";

type Collections = Awaited<
  ReturnType<Awaited<ReturnType<ReturnType<Connections["cell"]>["open"]>>["listCollections"]>
>;

/**
 * Production in an emulator, for tests, under projects of its own. What is no database only writes down what it was told: the
 * warehouse, and programs that would change a cloud.
 */
export class EmulatedCloud {
  /** What was told to whatever no emulator is. */
  readonly told: string[] = [];
  /** Replicas answer; without a replicator they are never equal. */
  replicasAnswer = true;
  readonly fleet: Fleet;
  readonly connections: Connections;

  private constructor(fleet: Fleet, prefix: string, emulatorHost: string) {
    const { config, manifests } = fleet;
    this.fleet = fleet;
    const named = {
      config: { ...config, central: { ...config.central, project: `${prefix}-central` } },
      manifests: Object.fromEntries(
        Object.entries(manifests).map(([id, m]) => [id, { ...m, project: `${prefix}-${id}` }]),
      ),
    };
    const opened = openConnections(named, () => emulatorHost);
    const cell = (id: string) => {
      if (this.replicasAnswer) return opened.cell(id);
      throw new Error("does not answer");
    };
    this.connections = { ...opened, cell };
  }

  static async make(prefix: string, emulatorHost: string): Promise<EmulatedCloud> {
    return new EmulatedCloud(await loadFleet(join(root, "infra")), prefix, emulatorHost);
  }

  /** Run a command line in production. */
  async run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const said = { out: [] as string[], err: [] as string[] };
    process.exitCode = 0;
    const output = { out: (text: string) => said.out.push(text), err: (text: string) => said.err.push(text) };
    const code = await program([...args, "--env", "production"], output, this.open);
    const ended = code ?? process.exitCode;
    process.exitCode = 0;
    return {
      code: typeof ended === "number" ? ended : 0,
      out: said.out.join("\n"),
      err: said.err.join("\n"),
    };
  }

  readonly open: OpenEnvironment = async () => {
    const run = async ({ args }: { args: readonly string[] }) => {
      const line = args.join(" ");
      if (/ (plan|apply|add|cp) /.test(line)) this.told.push(line);
      throw new Error("there is no cloud here");
    };
    const { connections, fleet } = this;
    const cloud = cloudEnvironment(fleet, "production", {
      connections,
      run,
      canaryKey: undefined,
      proofSecrets: [],
    });
    const environment: Environment = {
      ...cloud,
      warehouse: { bigquery: this.#warehouse() as never, project: "none" },
      ready: async () => undefined,
      publication: (target, by) => ({
        ...cloud.publication(target, by),
        // Each origin answers as the cell that its name says.
        whoIs: async (url) => {
          const id = url.replace(/^https:\/\/(.*)-(api|bulk)\..*$/, "$1");
          return { id, residency: fleet.manifests[id]?.residency ?? "global" };
        },
      }),
      close: async () => undefined,
    };
    return environment;
  };

  /** All that a command could change: documents, a directory's file, and what was told. */
  async contents(file: string): Promise<unknown> {
    const { connections } = this;
    const { control, deploys, market } = connections;
    const databases = Object.entries(this.fleet.manifests).flatMap(([id, m]) =>
      databasesOf(m).map(async (database) =>
        under(await (await connections.cell(id).open(database)).listCollections()),
      ),
    );
    return Promise.all([
      ...databases,
      control.snapshot(),
      control.audit(),
      control.publishedVersions(),
      market.published.head(),
      deploys.recent(100),
      deploys.latestRollout(),
      readFile(file, "utf8").catch(() => ""),
      Promise.resolve([...this.told]),
    ]);
  }

  #warehouse() {
    const { told } = this;
    const createWriteStream = () => {
      told.push("load");
      const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
      return stream.on("finish", () => stream.emit("complete"));
    };
    return {
      query: async () => [[], null, { schema: { fields: [] } }],
      dataset: () => ({ table: () => ({ createWriteStream }) }),
    };
  }
}

/** The path and last change of every document. */
async function under(collections: Collections): Promise<[string, number][]> {
  const found = await Promise.all(
    collections.map(async (collection) => {
      const { docs } = await collection.get();
      const below = await Promise.all(docs.map(async ({ ref }) => under(await ref.listCollections())));
      return [
        ...docs.map((doc): [string, number] => [doc.ref.path, doc.updateTime.toMillis()]),
        ...below.flat(),
      ];
    }),
  );
  return found.flat();
}
