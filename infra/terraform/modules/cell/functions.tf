# One artefact, four functions. What a cell is, it reads from its manifest: nothing else differs between cells.
locals {
  environment = merge(
    {
      PROVENIQ_ENV            = "production"
      CELL_ID                 = var.id
      CELL_MANIFEST           = var.manifest_json
      ARTEFACT_DIGEST         = var.artefact.digest
      GIT_COMMIT              = var.artefact.commit
      CENTRAL_PROJECT         = var.central.project
      CENTRAL_MARKET_DATABASE = var.central.marketDatabase
    },
    var.default_tenant == null ? {} : { DEFAULT_TENANT = var.default_tenant },
    var.traces == null ? {} : {
      OTEL_EXPORTER_OTLP_ENDPOINT = var.traces.endpoint
      OTEL_TRACES_SAMPLER_ARG     = tostring(var.traces.ratio)
    },
  )
  outside = "ALLOW_INTERNAL_AND_GCLB"
  inside  = "ALLOW_INTERNAL_ONLY"
  # Sizes that go with the code stand in apps/cell-api/src/functions.ts too, for the Firebase CLI.
  functions = {
    api = {
      instances = var.manifest.capacity.apiInstances, concurrency = var.manifest.capacity.concurrency
      memory    = "512Mi", timeout = 60, ingress = local.outside, least = var.manifest.tier == "region" ? 1 : 2
    }
    bulk = {
      instances = var.manifest.capacity.bulkInstances, concurrency = 16
      memory    = "1Gi", timeout = 120, ingress = local.outside, least = 0
    }
    replicate = { instances = 1, concurrency = 1, memory = "512Mi", timeout = 90, ingress = local.inside, least = 0 }
    sink      = { instances = 1, concurrency = 1, memory = "512Mi", timeout = 90, ingress = local.inside, least = 0 }
  }
}

resource "google_cloudfunctions2_function" "this" {
  for_each    = local.functions
  project     = local.project
  name        = local.names[each.key]
  location    = var.manifest.region
  description = "Cell ${var.id}: ${each.key}, artefact ${substr(var.artefact.digest, 0, 12)}"
  build_config {
    runtime     = "nodejs24"
    entry_point = each.key
    # Made with the project, like what lets it read the artefact: modules/project/builds.tf.
    service_account = "projects/${local.project}/serviceAccounts/function-builds@${local.project}.iam.gserviceaccount.com"
    source {
      storage_source {
        bucket = "${var.central.project}-artefacts"
        object = var.artefact.object
      }
    }
  }
  service_config {
    available_memory                 = each.value.memory
    available_cpu                    = "1"
    timeout_seconds                  = each.value.timeout
    min_instance_count               = each.value.least
    max_instance_count               = each.value.instances
    max_instance_request_concurrency = each.value.concurrency
    ingress_settings                 = each.value.ingress
    all_traffic_on_latest_revision   = true
    service_account_email            = "${local.names[each.key]}@${local.project}.iam.gserviceaccount.com"
    environment_variables            = local.environment
    # By which it knows the router, the publisher and the canary at its own hosts. What is scheduled is asked nothing there.
    dynamic "secret_environment_variables" {
      for_each = var.proof != null && contains(["api", "bulk"], each.key) ? [var.proof] : []
      content {
        key        = "PROOF_SECRETS"
        project_id = secret_environment_variables.value.project
        secret     = secret_environment_variables.value.secret
        version    = "latest"
      }
    }
  }
  depends_on = [google_service_account.this, google_project_iam_member.database]
}

# Whoever comes through the load balancer may call; the cell authenticates. Ingress keeps everybody else out. The functions' API has
# no other way to say so (docs/adr/2026-12-01-who-may-call.md).
resource "google_cloud_run_service_iam_member" "callers" {
  for_each = toset(["api", "bulk"])
  project  = local.project
  location = var.manifest.region
  service  = google_cloudfunctions2_function.this[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_cloud_run_service_iam_member" "scheduler" {
  for_each = toset(["replicate", "sink"])
  project  = local.project
  location = var.manifest.region
  service  = google_cloudfunctions2_function.this[each.key].name
  role     = "roles/run.invoker"
  member   = local.members[each.key]
}

# Once a minute; each run works through most of it under a lease, so that a late one finds nothing to do.
resource "google_cloud_scheduler_job" "this" {
  for_each         = toset(["replicate", "sink"])
  project          = local.project
  region           = var.manifest.region
  name             = local.names[each.key]
  description      = "Calls ${each.key} of cell ${var.id} every minute"
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "90s"
  retry_config {
    retry_count = 0
  }
  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.this[each.key].service_config[0].uri
    oidc_token {
      service_account_email = "${local.names[each.key]}@${local.project}.iam.gserviceaccount.com"
    }
  }
}
