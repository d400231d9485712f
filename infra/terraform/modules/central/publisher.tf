# Market values on a schedule: a job takes new objects of one bucket in the order of their names (`incoming/`), publishes each once,
# and puts one that it refuses aside with its reasons (`refused/`). Who makes market values writes into `incoming/`, and no more.
locals {
  inbox     = "${var.central.project}-market-inbox"
  publisher = "serviceAccount:market-publisher@${var.central.project}.iam.gserviceaccount.com"
  region    = var.warehouse_locations.global
}

resource "google_service_account" "publisher" {
  project      = var.central.project
  account_id   = "market-publisher"
  display_name = "Publishes market values: one bucket, one database"
}

resource "google_storage_bucket" "inbox" {
  project                     = var.central.project
  name                        = local.inbox
  location                    = local.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  versioning {
    enabled = true
  }
  # What was published is known by its name for good: the last name is what a late file is held against.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
    }
  }
}

resource "google_storage_bucket_iam_member" "inbox" {
  bucket     = google_storage_bucket.inbox.name
  role       = "roles/storage.objectUser"
  member     = local.publisher
  depends_on = [google_service_account.publisher]
}

resource "google_storage_bucket_iam_member" "makers" {
  for_each = var.market_makers
  bucket   = google_storage_bucket.inbox.name
  role     = "roles/storage.objectCreator"
  member   = each.value
  condition {
    title      = "what waits"
    expression = "resource.name.startsWith(\"projects/_/buckets/${local.inbox}/objects/incoming/\")"
  }
}

resource "google_project_iam_member" "publisher" {
  project = var.central.project
  role    = "roles/datastore.user"
  member  = local.publisher
  condition {
    title      = "publishes market values"
    expression = "resource.name == \"projects/${var.central.project}/databases/${var.central.marketDatabase}\""
  }
  depends_on = [google_service_account.publisher]
}

resource "google_cloud_run_v2_job" "publisher" {
  project             = var.central.project
  location            = local.region
  name                = "market-publisher"
  deletion_protection = true
  template {
    task_count  = 1
    parallelism = 1
    template {
      service_account = "market-publisher@${var.central.project}.iam.gserviceaccount.com"
      # The next run goes on where one ended.
      max_retries = 0
      timeout     = "900s"
      containers {
        image = var.publisher_image
        env {
          name  = "CENTRAL_PROJECT"
          value = var.central.project
        }
        env {
          name  = "CENTRAL_MARKET_DATABASE"
          value = var.central.marketDatabase
        }
        env {
          name  = "MARKET_BUCKET"
          value = local.inbox
        }
        resources {
          # All values are held at once.
          limits = { cpu = "1", memory = "1Gi" }
        }
      }
    }
  }
  depends_on = [google_service_account.publisher]
}

# It starts itself: this account may run this job, and nothing else here may.
resource "google_cloud_run_v2_job_iam_member" "publisher" {
  project  = var.central.project
  location = local.region
  name     = google_cloud_run_v2_job.publisher.name
  role     = "roles/run.invoker"
  member   = local.publisher
}

resource "google_cloud_scheduler_job" "publisher" {
  project          = var.central.project
  region           = local.region
  name             = "market-publisher"
  description      = "Publishes market values that have arrived"
  schedule         = "*/10 * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"
  retry_config {
    retry_count = 0
  }
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.central.project}/locations/${local.region}/jobs/${google_cloud_run_v2_job.publisher.name}:run"
    oauth_token {
      service_account_email = "market-publisher@${var.central.project}.iam.gserviceaccount.com"
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }
}

resource "google_monitoring_notification_channel" "this" {
  for_each     = toset(var.alerts)
  project      = var.central.project
  display_name = "Alarms of the centre"
  type         = "email"
  labels       = { email_address = each.value }
}

# A refused file, a run that failed, and one that the platform ended all leave a line of this kind.
resource "google_monitoring_alert_policy" "publisher" {
  project               = var.central.project
  display_name          = "Market values were refused, or could not be published"
  combiner              = "OR"
  notification_channels = [for address in var.alerts : google_monitoring_notification_channel.this[address].name]
  conditions {
    display_name = "the publisher says so"
    condition_matched_log {
      filter = "resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"market-publisher\" AND severity>=ERROR"
    }
  }
  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "The reasons are in gs://${local.inbox}/refused/. Runbook: ${var.runbooks}/market-refused.md"
  }
}
