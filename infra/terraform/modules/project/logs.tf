# Left alone, logs go to a bucket whose location is "global". They go to one in the residency instead, and the two that
# come with a project are shut as far as they can be.
resource "google_logging_project_bucket_config" "this" {
  project        = var.project
  location       = var.location
  bucket_id      = "proveniq"
  retention_days = 30
}

resource "google_logging_project_sink" "this" {
  project                = var.project
  name                   = "proveniq"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.this.id}"
  unique_writer_identity = true
}

# No copy is made: what is excluded here stands in the regional bucket alone. Audit logs of the admin kind stay in _Required,
# which nobody can move; they name resources, not data.
resource "google_logging_project_exclusion" "default" {
  project     = var.project
  name        = "only-in-the-residency"
  description = "Everything is in the bucket proveniq; _Default is global"
  filter      = "severity >= DEFAULT"
}
