import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { plugin } from "./protocol.ts";
import type { Block, ProviderSchema } from "./schema.ts";

/**
 * Serve a provider's schema by Terraform's plugin protocol, version 5, on loopback. It knows which arguments there are
 * and nothing of Google Cloud: it cannot plan, and `terraform test` mocks all that it does not know. Resolves with where
 * it is, by the address under which Terraform asks for it: TF_REATTACH_PROVIDERS holds such entries.
 *
 * @see https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol
 */
export async function serveSchema(
  schema: ProviderSchema,
): Promise<{ reattach: Record<string, object>; stop: () => void }> {
  const server = new Server();
  const answer =
    <Q, A>(work: (request: Q) => A) =>
    (call: ServerUnaryCall<Q, A>, reply: sendUnaryData<A>): void =>
      reply(null, work(call.request));
  const loaded = protoLoader.fromJSON(plugin, { keepCase: true });
  server.addService(loaded["tfplugin5.Provider"] as ServiceDefinition, {
    GetSchema: answer(() => ({
      provider: { block: message(schema.provider) },
      resource_schemas: Object.fromEntries(
        Object.entries(schema.resources).map(([type, block]) => [type, { block: message(block) }]),
      ),
      data_source_schemas: Object.fromEntries(
        Object.entries(schema.data).map(([type, block]) => [type, { block: message(block) }]),
      ),
    })),
    PrepareProviderConfig: answer(({ config }: { config: unknown }) => ({ prepared_config: config })),
    ValidateResourceTypeConfig: answer(() => ({})),
    ValidateDataSourceConfig: answer(() => ({})),
    Configure: answer(() => ({})),
    Stop: answer(() => ({})),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const where = { Network: "tcp", String: `127.0.0.1:${port}` };
  const reattach = {
    [`registry.terraform.io/hashicorp/google`]: {
      Protocol: "grpc",
      ProtocolVersion: 5,
      Pid: process.pid,
      Test: true,
      Addr: where,
    },
  };
  return { reattach, stop: () => server.forceShutdown() };
}

const nestings = { single: 1, list: 2, set: 3 } as const;

function message({ attributes, blocks }: Block): object {
  return {
    attributes: Object.entries(attributes).map(([name, { type, use }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required: use === "required",
      optional: use === "optional" || use === "both",
      computed: use === "computed" || use === "both",
    })),
    block_types: Object.entries(blocks).map(([type_name, { nesting, min, max, block }]) => ({
      type_name,
      nesting: nestings[nesting],
      min_items: min,
      max_items: max,
      block: message(block),
    })),
  };
}
