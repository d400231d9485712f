// The local warehouse as a process of its own: `node main.ts <file> <rest port> <grpc port>`. Tests add how many percent of
// the answers to committed appends are to be lost.
import { startWarehouse } from "./index.ts";

const [file, rest, grpc, lostPercent = "0"] = process.argv.slice(2);
const warehouse = await startWarehouse({
  ...(file === undefined || file === "" ? {} : { file }),
  restPort: Number(rest),
  grpcPort: Number(grpc),
  losesReply: () => Math.random() * 100 < Number(lostPercent),
});
process.stdout.write(
  `a stand-in for BigQuery, on DuckDB: REST at ${warehouse.restUrl}, Storage Write at ${warehouse.grpcHost}\n`,
);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    void warehouse.stop().then(() => process.exit(0));
  });
}
