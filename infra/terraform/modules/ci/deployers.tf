# One deployer a cell, which only the workflow of that cell's environment can be. It changes what surrounds data: no role of
# its own lets it read a document. It manages the identities of its project, though, and could give itself a role that does;
# where two cells share a project, one on the other's data too. Grants are in the audit log, and the nightly plan shows them.
# A cell whose deployer must not reach another's has a project of its own. What persons apply (bootstrap, projects, centre) has no deployer.
locals {
  deployers = toset(concat(keys(var.cells), ["edge"]))
  pool      = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}"
  # What each kind may do, to the letter: permissions.tf.
  roles = merge(
    { for p in distinct(values(var.cells)[*].project) : "${p} cellDeployer" => { project = p, id = "cellDeployer", title = "Deploys cells, reads no document", permissions = local.of_cells } },
    { for p in distinct(values(var.doors)) : "${p} edgeDeployer" => { project = p, id = "edgeDeployer", title = "Deploys a front door", permissions = local.of_doors } },
    { "${var.central_project} edgeRecords" = { project = var.central_project, id = "edgeRecords", title = "Writes records of the fleet's zone", permissions = local.of_records } },
  )
  grants = merge(
    { for id, cell in var.cells : "${id} ${cell.project}" => { deployer = id, project = cell.project, role = "cellDeployer" } },
    { for p in distinct(values(var.doors)) : "edge ${p}" => { deployer = "edge", project = p, role = "edgeDeployer" } },
    { "edge records" = { deployer = "edge", project = var.central_project, role = "edgeRecords" } },
  )
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

resource "google_project_iam_custom_role" "deployer" {
  for_each    = local.roles
  project     = each.value.project
  role_id     = each.value.id
  title       = each.value.title
  permissions = each.value.permissions
}

resource "google_project_iam_member" "deployer" {
  for_each   = local.grants
  project    = each.value.project
  role       = "projects/${each.value.project}/roles/${each.value.role}"
  member     = "serviceAccount:${google_service_account.deployer[each.value.deployer].account_id}@${var.central_project}.iam.gserviceaccount.com"
  depends_on = [google_project_iam_custom_role.deployer]
}

# Its own state, and no other's. A list names no object, so that it is bound by the prefix that is asked for.
resource "google_storage_bucket_iam_member" "state" {
  for_each = local.deployers
  bucket   = google_storage_bucket.this["tfstate"].name
  role     = "roles/storage.objectUser"
  member   = "serviceAccount:${google_service_account.deployer[each.value].account_id}@${var.central_project}.iam.gserviceaccount.com"
  condition {
    title = "state of ${each.value}"
    expression = join(" || ", [
      "resource.name.startsWith(\"projects/_/buckets/${var.central_project}-tfstate/objects/${contains(keys(var.cells), each.value) ? "cells/${each.value}" : each.value}/\")",
      "api.getAttribute(\"storage.googleapis.com/objectListPrefix\", \"\").startsWith(\"${contains(keys(var.cells), each.value) ? "cells/${each.value}" : each.value}/\")",
    ])
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
