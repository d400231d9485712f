# One deployer a cell, which only the workflow of that cell's environment can be. It changes what surrounds data: no role of
# its own lets it read a document. It manages the identities of its project, though, and could give itself a role that does;
# where two cells share a project, one on the other's data too. Grants are in the audit log, and the nightly plan shows them.
# A cell whose deployer must not reach another's has a project of its own.
locals {
  deployers = toset(concat(keys(var.cells), ["bootstrap", "edge", "central", "projects"]))
  pool      = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}"
}

resource "google_service_account" "deployer" {
  for_each     = local.deployers
  project      = var.central_project
  account_id   = "deploy-${each.value}"
  display_name = "Deploys ${each.value}"
}

resource "google_service_account_iam_member" "environment" {
  for_each           = local.deployers
  service_account_id = "projects/${var.central_project}/serviceAccounts/${google_service_account.deployer[each.value].account_id}@${var.central_project}.iam.gserviceaccount.com"
  role               = "roles/iam.workloadIdentityUser"
  member             = "${local.pool}/attribute.environment/${var.repository}:${each.value}"
}

# Databases, indexes, backups and their schedules; no entity.
resource "google_project_iam_custom_role" "schema" {
  for_each = toset(concat([var.central_project], values(var.cells)[*].project))
  project  = each.value
  role_id  = "databaseSchema"
  title    = "Makes databases and indexes, reads no document"
  permissions = [
    "datastore.backupSchedules.create", "datastore.backupSchedules.get", "datastore.backupSchedules.list",
    "datastore.backupSchedules.update", "datastore.databases.create", "datastore.databases.get",
    "datastore.databases.getMetadata", "datastore.databases.list", "datastore.databases.update",
    "datastore.indexes.create", "datastore.indexes.delete", "datastore.indexes.get", "datastore.indexes.list",
    "datastore.indexes.update", "datastore.operations.get", "datastore.operations.list",
  ]
}

locals {
  of_cells = [
    "roles/cloudfunctions.admin", "roles/cloudscheduler.admin", "roles/compute.loadBalancerAdmin",
    "roles/compute.securityAdmin", "roles/iam.roleAdmin",
    "roles/firebaserules.admin", "roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountUser", "roles/monitoring.editor",
    "roles/resourcemanager.projectIamAdmin", "roles/run.admin",
  ]
  of_shared = {
    edge = {
      projects = [var.central_project]
      roles = [
        "roles/certificatemanager.editor", "roles/compute.loadBalancerAdmin", "roles/compute.networkAdmin",
        "roles/compute.securityAdmin", "roles/dns.admin", "roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountUser",
        "roles/run.admin",
      ]
    }
    # A person applies these three, rarely. Their accounts only look for drift.
    bootstrap = {
      projects = distinct(concat([var.central_project], values(var.cells)[*].project))
      roles = [
        "roles/iam.roleViewer", "roles/iam.securityReviewer", "roles/iam.workloadIdentityPoolViewer",
        "roles/storage.bucketViewer",
      ]
    }
    central = {
      projects = [var.central_project]
      roles = [
        "projects/${var.central_project}/roles/databaseSchema", "roles/bigquery.metadataViewer", "roles/dns.reader",
        "roles/iam.securityReviewer",
      ]
    }
    projects = {
      projects = distinct(concat([var.central_project], values(var.cells)[*].project))
      roles = [
        "roles/iam.securityReviewer", "roles/logging.configWriter", "roles/orgpolicy.policyViewer",
        "roles/serviceusage.serviceUsageViewer",
      ]
    }
  }
  grants = merge(flatten([[
    for id, cell in var.cells : {
      for role in concat(local.of_cells, ["projects/${cell.project}/roles/databaseSchema"]) :
      "${id} ${role}" => { deployer = id, project = cell.project, role = role }
    }
    ], [
    for name, shared in local.of_shared : {
      for pair in setproduct(shared.projects, shared.roles) :
      "${name} ${pair[0]} ${pair[1]}" => { deployer = name, project = pair[0], role = pair[1] }
    }
  ]])...)
}

resource "google_project_iam_member" "deployer" {
  for_each   = local.grants
  project    = each.value.project
  role       = each.value.role
  member     = "serviceAccount:${google_service_account.deployer[each.value.deployer].account_id}@${var.central_project}.iam.gserviceaccount.com"
  depends_on = [google_project_iam_custom_role.schema]
}

# Its own state, and no other's.
resource "google_storage_bucket_iam_member" "state" {
  for_each = local.deployers
  bucket   = google_storage_bucket.this["tfstate"].name
  role     = "roles/storage.objectUser"
  member   = "serviceAccount:${google_service_account.deployer[each.value].account_id}@${var.central_project}.iam.gserviceaccount.com"
  condition {
    title      = "state of ${each.value}"
    expression = "resource.name.startsWith(\"projects/_/buckets/${var.central_project}-tfstate/objects/${contains(keys(var.cells), each.value) ? "cells/${each.value}" : each.value}/\")"
  }
}

# Artefacts are added and read, never changed: to overwrite one takes a right that nobody has.
resource "google_storage_bucket_iam_member" "artefacts" {
  for_each = {
    for pair in setproduct(keys(var.cells), ["roles/storage.objectCreator", "roles/storage.objectViewer"]) :
    "${pair[0]} ${pair[1]}" => { cell = pair[0], role = pair[1] }
  }
  bucket = google_storage_bucket.this["artefacts"].name
  role   = each.value.role
  member = "serviceAccount:${google_service_account.deployer[each.value.cell].account_id}@${var.central_project}.iam.gserviceaccount.com"
}
