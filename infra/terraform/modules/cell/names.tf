# The edge, deploys and operators build these names from the manifest too: none of them reads this cell's state.
locals {
  project  = var.manifest.project
  services = toset(["api", "bulk", "replicate", "sink"])
  names    = { for s in local.services : s => "${var.id}-${s}" }
  members = {
    for s, name in local.names : s => "serviceAccount:${name}@${local.project}.iam.gserviceaccount.com"
  }
  tenants_databases = { for d in var.manifest.databases : d.id => d }
  databases = merge(local.tenants_databases, {
    (var.manifest.marketDatabase.id) = var.manifest.marketDatabase
  })
  # As conditions of IAM name them. Exactly: `startsWith` of cell-1 would let in cell-10.
  is_database = {
    for id in keys(local.databases) : id => "resource.name == \"projects/${local.project}/databases/${id}\""
  }
  is_global = var.manifest.residency == "global"
  # Names of resources hold no brackets, and one of them is "(default)".
  slug = { for id in keys(local.databases) : id => trim(replace(id, "/[^a-z0-9-]/", ""), "-") }
}
