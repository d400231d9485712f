# What a router needs before it can be made, so that a front door's first apply waits for nothing: its identity, and where its
# images are. A router reaches no database.
resource "google_service_account" "router" {
  project      = var.project
  account_id   = "router-${var.residency}"
  display_name = "Router of ${var.residency}: reaches no database"
}

# Images stay where the router runs; a tag is never moved to other bytes.
resource "google_artifact_registry_repository" "router" {
  project       = var.project
  location      = var.region
  repository_id = "router"
  description   = "Images of the router"
  format        = "DOCKER"
  docker_config {
    immutable_tags = true
  }
}

# Who deploys the router names an image: Cloud Run asks whether it may read it.
resource "google_artifact_registry_repository_iam_member" "deployer" {
  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.router.name
  role       = "roles/artifactregistry.writer"
  member     = "serviceAccount:deploy-edge@${var.central_project}.iam.gserviceaccount.com"
}
