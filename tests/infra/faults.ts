import type { Root } from "./terraform.ts";

/** A mistake that somebody could make in a file of infra/, and the name by which it must be caught. */
export interface PlantedFault {
  name: string;
  file: string;
  from: string | RegExp;
  to: string;
  /** Whose plan shows it. */
  root: Root;
  plan: string;
  /** `<policy>: …` of a policy, or what Terraform or a schema says. */
  caughtBy: RegExp;
}

const cell = (file: string) => `terraform/modules/cell/${file}`;
const edge = (file: string) => `terraform/modules/edge/${file}`;
const eu = { root: "cell", plan: "eu" } as const;
const small = { root: "cell", plan: "enterprise-a" } as const;

export const plantedFaults: readonly PlantedFault[] = [
  // Manifests.
  {
    name: "an EU database in the United States",
    file: "cells/eu/cell.json",
    from: '"id": "eu-carriers",\n      "location": "europe-west1"',
    to: '"id": "eu-carriers",\n      "location": "nam5"',
    ...eu,
    caughtBy: /nam5 is outside the residency "eu"/,
  },
  {
    name: "an EU cell's functions in the United States",
    file: cell("functions.tf"),
    from: "  location    = var.manifest.region",
    to: '  location    = "us-central1"',
    ...eu,
    caughtBy: /^residency: .*us-central1, outside "eu"/m,
  },
  {
    name: "a manifest without what Terraform needs",
    file: "cells/enterprise-a/cell.json",
    from: '"writesPerSecond"',
    to: '"writesPerSecnd"',
    ...small,
    caughtBy: /writesPer/,
  },

  // Databases.
  {
    name: "no point in time recovery",
    file: cell("databases.tf"),
    from: '"POINT_IN_TIME_RECOVERY_ENABLED"',
    to: '"POINT_IN_TIME_RECOVERY_DISABLED"',
    ...small,
    caughtBy: /^point in time recovery: database enterprise-a has none/m,
  },
  {
    name: "a database that a plan may delete",
    file: cell("databases.tf"),
    from: '"DELETE_PROTECTION_ENABLED"',
    to: '"DELETE_PROTECTION_DISABLED"',
    ...small,
    caughtBy: /^deletion protection: database enterprise-a/m,
  },
  {
    name: "backups that are gone after a week",
    file: cell("databases.tf"),
    from: '"2592000s"',
    to: '"604800s"',
    ...small,
    caughtBy: /^backups: database enterprise-a keeps/m,
  },
  {
    name: "rules that let clients in",
    file: cell("databases.tf"),
    from: "allow read, write: if false;",
    to: "allow read, write: if true;",
    ...small,
    caughtBy: /^rules: /m,
  },
  {
    name: "a missing index",
    file: cell("indexes.tf"),
    from: "for index in var.indexes.indexes :",
    to: "for index in slice(var.indexes.indexes, 1, 4) :",
    ...small,
    caughtBy: /^indexes: index enterprise-a\/items .* is missing/m,
  },
  {
    name: "an index on a field that only grows",
    file: cell("indexes.tf"),
    from: "        for field in var.indexes.fieldOverrides :\n",
    to: '        for field in [for f in var.indexes.fieldOverrides : f if f.fieldPath != "createdAt"] :\n',
    ...small,
    caughtBy: /^exemptions: exemption enterprise-a\/items\.createdAt is missing/m,
  },

  // Identities.
  {
    name: "a condition that fits cell-10 as well as cell-1",
    file: cell("names.tf"),
    from: '"resource.name == \\"projects/${local.project}/databases/${id}\\""',
    to: '"resource.name.startsWith(\\"projects/${local.project}/databases/${id}\\")"',
    ...small,
    caughtBy: /^isolation: .*startsWith/m,
  },
  {
    name: "a role without a condition",
    file: cell("identities.tf"),
    from: "# Market values are pulled",
    to: 'resource "google_project_iam_member" "all" {\n  project = local.project\n  role    = "roles/datastore.user"\n  member  = local.members["api"]\n}\n\n# Market values are pulled',
    ...small,
    caughtBy: /^unconditional role: .*roles\/datastore\.user/m,
  },
  {
    name: "an API that may write market values",
    file: cell("identities.tf"),
    from: 'role = "roles/datastore.viewer"\n',
    to: 'role = "roles/datastore.user"\n',
    ...small,
    caughtBy: /^market values are read-only: serviceAccount:enterprise-a-api@/m,
  },
  {
    name: "a sink that may read raw rows",
    file: cell("identities.tf"),
    from: '"projects/${var.central.project}/roles/warehouseAppender"',
    to: '"roles/bigquery.dataEditor"',
    ...small,
    caughtBy: /^warehouse: /m,
  },
  {
    name: "EU rows in the global dataset",
    file: cell("identities.tf"),
    from: '"raw_${var.manifest.residency}"',
    to: '"raw_global"',
    ...eu,
    caughtBy: /^warehouse: .*raw_eu is missing/m,
  },
  {
    name: "a sink that reads every secret of the project",
    file: cell("identities.tf"),
    from: 'resource.name.extract(\\"/secrets/analytics-key-${var.id}-20{day}\\") != \\"\\"',
    to: "true",
    ...small,
    caughtBy: /^secrets: /m,
  },

  // Functions.
  {
    name: "functions that anybody reaches past the load balancer",
    file: cell("functions.tf"),
    from: '"ALLOW_INTERNAL_AND_GCLB"',
    to: '"ALLOW_ALL"',
    ...small,
    caughtBy: /^ingress: enterprise-a-api has ingress ALLOW_ALL/m,
  },
  {
    name: "a function that runs as the project",
    file: cell("functions.tf"),
    from: '    service_account_email            = "${local.names[each.key]}@${local.project}.iam.gserviceaccount.com"\n',
    to: "",
    ...small,
    caughtBy: /^functions: .* runs as the project's own identity/m,
  },
  {
    name: "an environment that the cell would refuse",
    file: cell("functions.tf"),
    from: "CENTRAL_PROJECT         =",
    to: "CENTRAL_PROJECT_ID      =",
    ...small,
    caughtBy: /^environment: /m,
  },
  {
    name: "a function that the artefact does not have",
    file: cell("functions.tf"),
    from: "entry_point = each.key",
    to: 'entry_point = each.key == "sink" ? "analytics" : each.key',
    ...small,
    caughtBy: /^entry points: enterprise-a-sink starts analytics/m,
  },
  {
    name: "an alert that takes each deploy for silence",
    file: cell("watching.tf"),
    from: 'cross_series_reducer = "REDUCE_SUM"',
    to: 'cross_series_reducer = "REDUCE_NONE"',
    ...small,
    caughtBy: /^silence: /m,
  },
  {
    name: "an alert without a runbook",
    file: cell("watching.tf"),
    from: "Runbook: ${var.runbooks}/cell-loss.md",
    to: "Good luck.",
    ...small,
    caughtBy: /^alerts: /m,
  },
  {
    name: "a limit that is keyed by what callers choose",
    file: cell("backends.tf"),
    from: 'enforce_on_key = "IP"',
    to: 'enforce_on_key = "HTTP_HEADER"',
    ...small,
    caughtBy: /^rate limit: /m,
  },
  {
    name: "an EU cell that anybody may flood",
    file: cell("backends.tf"),
    from: "  security_policy       = google_compute_region_security_policy.this[0].self_link\n",
    to: "",
    ...eu,
    caughtBy: /^rate limit: eu-api has none/m,
  },
  {
    name: "an argument that the provider does not have",
    file: cell("functions.tf"),
    from: "all_traffic_on_latest_revision ",
    to: "all_traffic_on_newest_revision ",
    ...small,
    caughtBy: /all_traffic_on_newest_revision/,
  },

  // Load balancers.
  {
    name: "swapped origins",
    file: edge("routes.tf"),
    from: 'hosts = [trimprefix(origin, "https://")]',
    to: 'hosts = [trimprefix(s == "api" ? c.origins.bulk : c.origins.api, "https://")]',
    root: "edge",
    plan: "global",
    caughtBy: /^origins: consumer-api\.cells\.proveniq\.io goes to consumer-bulk/m,
  },
  {
    name: "one host twice",
    file: "fleet.json",
    from: '"hosts": ["carrier-a.proveniq.io"]',
    to: '"hosts": ["api.proveniq.io"]',
    root: "edge",
    plan: "global",
    caughtBy: /api\.proveniq\.io is listed twice/,
  },
  {
    name: "a pinned tenant sent to another's cell",
    file: edge("routes.tf"),
    from: '{ service = local.service["${p.cell}-api"], matches = [{ prefix = "/t/${tenant}/" }] }',
    to: '{ service = local.service["consumer-api"], matches = [{ prefix = "/t/${tenant}/" }] }',
    root: "edge",
    plan: "global",
    caughtBy: /^pinned tenants: carrier-a at api\.proveniq\.io.* goes to consumer-api/m,
  },
  {
    name: "imports among the interactive traffic",
    file: edge("routes.tf"),
    from: 'id => { service = local.service["${id}-bulk"]',
    to: 'id => { service = local.service["${id}-api"]',
    root: "edge",
    plan: "global",
    caughtBy: /^pinned tenants: carrier-a at carrier-a\.proveniq\.io\/v1\/imports goes to enterprise-a-api/m,
  },
  {
    name: "an EU host behind the global load balancer",
    file: edge("routes.tf"),
    from: 'if local.is_global ? h.kind == "global" : ',
    to: "if local.is_global ? true : ",
    root: "edge",
    plan: "global",
    caughtBy: /^hosts of a residency: eu\.proveniq\.io is behind the load balancer of "global"/m,
  },
  {
    name: "reserved headers from outside",
    file: edge("routes.tf"),
    from: '["x-proveniq-epoch", "x-proveniq-host", "x-proveniq-successor"]',
    to: '["x-proveniq-host"]',
    root: "edge",
    plan: "eu",
    caughtBy: /^reserved headers: clients lets them through/m,
  },
  {
    name: "a load balancer that serves hosts nobody gave",
    file: edge("url-map.tf"),
    from: "percentage  = 100",
    to: "percentage  = 10",
    root: "edge",
    plan: "eu",
    caughtBy: /^unknown hosts: /m,
  },
  {
    name: "a router that is reached past its load balancer",
    file: edge("router.tf"),
    from: '"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"',
    to: '"INGRESS_TRAFFIC_ALL"',
    root: "edge",
    plan: "eu",
    caughtBy: /^router: router-eu can be reached past/m,
  },
  {
    name: "TLS of the EU ended anywhere",
    file: edge("front.tf"),
    from: 'location = local.is_global ? "global" : var.region\n  name     = local.slug',
    to: 'location = "global"\n  name     = local.slug',
    root: "edge",
    plan: "eu",
    caughtBy: /^where TLS ends: .* is global/m,
  },

  // The centre, projects, deployers.
  {
    name: "the EU's raw rows in the United States",
    file: "fleet.json",
    from: '"eu": "europe-west1"',
    to: '"eu": "us-central1"',
    root: "central",
    plan: "central",
    caughtBy: /^residency: raw_eu is in us-central1/m,
  },
  {
    name: "a view that shows raw rows to who publishes",
    file: "terraform/modules/central/warehouse.tf",
    from: 'if startswith(view.name, "publishable_")',
    to: 'if startswith(view.name, "p") || view.name == "events_once"',
    root: "central",
    plan: "central",
    caughtBy: /^who reads raw rows: events_once reads/m,
  },
  {
    name: "logs that leave the residency",
    file: "terraform/modules/project/logs.tf",
    from: "location       = var.location",
    to: 'location       = "global"',
    root: "project",
    plan: "proveniq-prod-eu",
    caughtBy: /^logs: .* is in global/m,
  },
  {
    name: "a project that allows every location",
    file: "terraform/modules/project/locations.tf",
    from: "in:${var.residency}-locations",
    to: "in:us-locations",
    root: "project",
    plan: "proveniq-prod-eu",
    caughtBy: /^where resources may be: "eu" allows in:us-locations/m,
  },
  {
    name: "a deployer that reads documents",
    file: "terraform/modules/ci/deployers.tf",
    from: '"datastore.operations.get",',
    to: '"datastore.operations.get", "datastore.entities.get",',
    root: "bootstrap",
    plan: "bootstrap",
    caughtBy: /^deployers read no data: .*datastore\.entities\.get/m,
  },
  {
    name: "a deployer that any branch can be",
    file: "terraform/modules/ci/federation.tf",
    from: " && assertion.ref == 'refs/heads/main'",
    to: "",
    root: "bootstrap",
    plan: "bootstrap",
    caughtBy: /^who may be a deployer: /m,
  },
];
