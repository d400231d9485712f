// firestore-export-import as its page describes it: a JSON file of documents by id.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { initializeFirebaseApp, restore } = createRequire(import.meta.url)("firestore-export-import");
const firestore = initializeFirebaseApp(JSON.parse(process.env.FIREBASE_SERVICE_ACC));
const started = performance.now();
await restore(firestore, process.argv[2]);
const seconds = (performance.now() - started) / 1000;
const rows = Object.keys(JSON.parse(readFileSync(process.argv[2], "utf8")).items).length;
console.log(JSON.stringify({ rows, seconds }));
process.exit(0);
