// csv-firestore as its page describes it. It writes a whole file in one batch, more than the database takes; so it is given
// 500 rows at a time through its own `data` parameter.
import { createRequire } from "node:module";

const { CsvToFireStore } = createRequire(import.meta.url)("csv-firestore");
const handler = new CsvToFireStore(process.argv[2]);
const started = performance.now();
await handler.readCSV();
const rows = handler.data();
for (let n = 0; n < rows.length; n += 500) {
  await handler.firestoreUpload("items", false, rows.slice(n, n + 500));
}
console.log(JSON.stringify({ rows: rows.length, seconds: (performance.now() - started) / 1000 }));
process.exit(0);
