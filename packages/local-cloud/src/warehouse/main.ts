// The local warehouse as a process of its own: `node main.ts <file> <rest port> <grpc port>`.
import { startWarehouse } from "./index.ts";

const [file, rest, grpc] = process.argv.slice(2);
const warehouse = await startWarehouse({
  ...(file === undefined || file === "" ? {} : { file }),
  restPort: Number(rest),
  grpcPort: Number(grpc),
});
process.stdout.write(
  `a stand-in for BigQuery, on DuckDB: REST at ${warehouse.restUrl}, Storage Write at ${warehouse.grpcHost}\n`,
);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    void warehouse.stop().then(() => process.exit(0));
  });
}
