# Who plans: pull requests, and each night all states to find what was changed past the repository. One identity, which reads what
# surrounds data and changes nothing. A token of a pull request proves no environment here, so that none can be a deployer.
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

# Each night, from main: the environment "planner" needs nobody's consent, and gives no other identity.
resource "google_service_account_iam_member" "nightly" {
  service_account_id = google_service_account.planner.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "${local.pool}/attribute.environment/${var.repository}:planner"
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

resource "google_project_iam_custom_role" "planner" {
  for_each    = toset(local.projects)
  project     = each.value
  role_id     = "planner"
  title       = "Sees what surrounds data, reads no document, row or secret"
  permissions = local.of_planner
}

locals {
  projects = distinct(concat([var.central_project], values(var.cells)[*].project, values(var.doors)))
}

resource "google_project_iam_member" "planner" {
  for_each   = toset(local.projects)
  project    = each.value
  role       = "projects/${each.value}/roles/planner"
  member     = "serviceAccount:${google_service_account.planner.account_id}@${var.central_project}.iam.gserviceaccount.com"
  depends_on = [google_project_iam_custom_role.planner]
}

# Identity pools have permissions that no custom role takes.
resource "google_project_iam_member" "planner_pools" {
  project = var.central_project
  role    = "roles/iam.workloadIdentityPoolViewer"
  member  = "serviceAccount:${google_service_account.planner.account_id}@${var.central_project}.iam.gserviceaccount.com"
}

# Every state: none holds a secret, because Terraform makes no version of one.
resource "google_storage_bucket_iam_member" "planner" {
  bucket = google_storage_bucket.this["tfstate"].name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.planner.account_id}@${var.central_project}.iam.gserviceaccount.com"
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
