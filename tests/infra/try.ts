import { Infra } from "./terraform.ts";
const infra = await Infra.copy();
const image = `x@sha256:${"a".repeat(64)}`;
for (const [root, runs] of [["project", ["proveniq-prod-eu", "proveniq-central"].map((p) => ({ name: p, variables: { project: p } }))], ["central", [{ name: "c", variables: {analysts:["group:a@b.c"]} }]], ["bootstrap", [{ name: "b", variables: { repository: "proveniq/cells" } }]], ["edge", ["global", "eu"].map((r) => ({ name: r, variables: { residency: r, router_image: image } }))]] as const) {
  const t = Date.now();
  const r = await infra.plan(root, runs);
  for (const [n, x] of r) { console.log(root, n, x.resources.length, x.errors.slice(0, 3).map((e) => e.slice(0, 600)), Date.now() - t);
   if (process.argv[2]) for (const p of x.resources) if (p.address.includes(process.argv[2])) console.log(p.address, JSON.stringify(p.values).slice(0,3000)); }
}
infra.close();
