# One cell, one state: `terraform init -backend-config=prefix=cells/<id>`.
terraform {
  required_version = ">= 1.9"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
  }
  backend "gcs" {}
}

locals {
  infra    = "${path.module}/../../.."
  fleet    = jsondecode(file("${local.infra}/fleet.json"))
  manifest = jsondecode(file("${local.infra}/cells/${var.cell_id}/cell.json"))
  # Where issuers process is for those who judge; the release before would refuse it.
  text = jsonencode(merge(local.manifest, { issuers = [
    for i in local.manifest.issuers : { for k, v in i : k => v if !contains(["jurisdiction", "exemption"], k) }
  ] }))
  doors    = merge({ global = local.fleet.central.project }, local.fleet.edges)
  defaults = [for d in values(local.fleet.defaults) : d.tenant if d.cell == var.cell_id]
}

provider "google" {
  project = local.manifest.project
  region  = local.manifest.region
}

# Cell 0 is what ran before there were cells, and a restored database was made by the restore: their data stays where it is.
import {
  for_each = toset([for d in local.manifest.databases : d.id if d.id == "(default)" || contains(var.adopted, d.id)])
  to       = module.cell.google_firestore_database.this[each.key]
  id       = "projects/${local.manifest.project}/databases/${each.key}"
}

# A project that knew Firebase has rules for its (default) database: ours replace them once.
import {
  for_each = toset([for d in local.manifest.databases : d.id if d.id == "(default)"])
  to       = module.cell.google_firebaserules_release.deny_all[each.key]
  id       = "projects/${local.manifest.project}/releases/cloud.firestore"
}

import {
  for_each = var.adopted_indexes
  to       = module.cell.google_firestore_index.this[each.key]
  id       = each.value
}

module "cell" {
  source          = "../../modules/cell"
  id              = var.cell_id
  manifest        = local.manifest
  manifest_json   = local.text
  default_tenant  = one(local.defaults)
  central         = local.fleet.central
  indexes         = jsondecode(file("${local.infra}/firestore.indexes.json"))
  market_indexes  = jsondecode(file("${local.infra}/firestore.market-indexes.json"))
  artefact        = { digest = var.artefact_digest, object = var.artefact_object, commit = var.git_commit }
  proof           = var.proof ? { project = local.doors[local.manifest.residency], secret = "fleet-proof-${local.manifest.residency}" } : null
  billing_account = var.billing_account
  monthly_budget  = var.monthly_budget
  alerts          = local.fleet.alerts
  runbooks        = var.runbooks
  traces          = var.traces
}
