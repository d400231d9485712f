# Who plans a pull request. It reads what surrounds data and changes nothing; a token of a pull request proves no environment here,
# so that none can be a deployer.
resource "google_iam_workload_identity_pool_provider" "pull_requests" {
  project                            = var.central_project
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "pull-requests"
  attribute_mapping = {
    "google.subject"    = "assertion.sub"
    "attribute.planner" = "assertion.repository"
  }
  attribute_condition = "assertion.repository == '${var.repository}' && assertion.event_name == 'pull_request'"
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "planner" {
  project      = var.central_project
  account_id   = "planner"
  display_name = "Plans pull requests"
}

resource "google_service_account_iam_member" "planner" {
  service_account_id = google_service_account.planner.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "${local.pool}/attribute.planner/${var.repository}"
}

resource "google_project_iam_custom_role" "schema_reader" {
  for_each = toset(values(var.cells)[*].project)
  project  = each.value
  role_id  = "databaseSchemaReader"
  title    = "Sees databases and indexes, reads no document"
  permissions = [
    "datastore.backupSchedules.get", "datastore.backupSchedules.list", "datastore.databases.get",
    "datastore.databases.getMetadata", "datastore.databases.list", "datastore.indexes.get", "datastore.indexes.list",
  ]
}

locals {
  of_planner = [
    "roles/cloudfunctions.viewer", "roles/cloudscheduler.viewer", "roles/compute.viewer", "roles/firebaserules.viewer",
    "roles/iam.roleViewer", "roles/iam.securityReviewer", "roles/monitoring.viewer", "roles/run.viewer",
  ]
}

resource "google_project_iam_member" "planner" {
  for_each = merge([
    for project in distinct(values(var.cells)[*].project) : {
      for role in concat(local.of_planner, ["projects/${project}/roles/databaseSchemaReader"]) :
      "${project} ${role}" => { project = project, role = role }
    }
  ]...)
  project    = each.value.project
  role       = each.value.role
  member     = "serviceAccount:${google_service_account.planner.account_id}@${var.central_project}.iam.gserviceaccount.com"
  depends_on = [google_project_iam_custom_role.schema_reader]
}

# The state of cells, and no other root's: those may name secrets.
resource "google_storage_bucket_iam_member" "planner" {
  bucket = google_storage_bucket.this["tfstate"].name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.planner.account_id}@${var.central_project}.iam.gserviceaccount.com"
  condition {
    title      = "state of cells"
    expression = "resource.name.startsWith(\"projects/_/buckets/${var.central_project}-tfstate/objects/cells/\")"
  }
}

# What a deploy tries a cell with is fetched by the deployer of that cell: `canary-key-<id>`, made by a person.
resource "google_project_iam_member" "canary_key" {
  for_each = var.cells
  project  = var.central_project
  role     = "roles/secretmanager.secretAccessor"
  member   = "serviceAccount:${google_service_account.deployer[each.key].account_id}@${var.central_project}.iam.gserviceaccount.com"
  condition {
    title      = "canary key of ${each.key}"
    expression = "resource.name.extract(\"/secrets/canary-key-${each.key}/{rest}\") != \"\""
  }
}
