# Functions are built from an artefact of the central project. The platform's agent fetches it and a build of its own reads it: the
# identity that a project comes with may do neither in newer organisations, and could do far more in older ones.
data "google_storage_project_service_account" "this" {
  project = var.project
}

resource "google_service_account" "builds" {
  count        = var.has_cells ? 1 : 0
  project      = var.project
  account_id   = "function-builds"
  display_name = "Builds functions of cells: reads artefacts, writes images and logs"
  depends_on   = [google_project_service.this]
}

locals {
  builder = "serviceAccount:function-builds@${var.project}.iam.gserviceaccount.com"
  # Agents are named by the project's number, which stands in the name of the one that every project has.
  number = regex("[0-9]+", data.google_storage_project_service_account.this.email_address)
  agent  = "serviceAccount:service-${local.number}@gcf-admin-robot.iam.gserviceaccount.com"
}

resource "google_project_iam_member" "builds" {
  for_each   = var.has_cells ? toset(["roles/artifactregistry.writer", "roles/logging.logWriter"]) : toset([])
  project    = var.project
  role       = each.value
  member     = local.builder
  depends_on = [google_service_account.builds]
}

resource "google_storage_bucket_iam_member" "artefacts" {
  for_each   = var.has_cells ? { builds = local.builder, agent = local.agent } : {}
  bucket     = "${var.central_project}-artefacts"
  role       = "roles/storage.objectViewer"
  member     = each.value
  depends_on = [google_service_account.builds, google_project_service.this]
}
