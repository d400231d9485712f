# The router runs in the residency. It keeps what it knows when everything behind it is down.
resource "google_service_account" "router" {
  count        = var.is_primary ? 1 : 0
  project      = var.fleet.central.project
  account_id   = "router-${var.residency}"
  display_name = "Router of ${var.residency}: reaches no database"
}

resource "google_cloud_run_v2_service" "router" {
  count               = var.is_primary ? 1 : 0
  project             = var.fleet.central.project
  location            = var.region
  name                = "router-${var.residency}"
  ingress             = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  deletion_protection = true
  template {
    service_account                  = "router-${var.residency}@${var.fleet.central.project}.iam.gserviceaccount.com"
    max_instance_request_concurrency = 500
    scaling {
      min_instance_count = 2
      max_instance_count = 50
    }
    containers {
      image = var.router_image
      ports {
        container_port = 8080
      }
      env {
        name = "EDGE_CONFIG"
        value_source {
          secret_key_ref {
            secret  = var.edge_config_secret
            version = "latest"
          }
        }
      }
      env {
        name  = "FLEET_ZONE"
        value = var.fleet.zone
      }
      env {
        name  = "GOOGLE_CLOUD_PROJECT"
        value = var.fleet.central.project
      }
      env {
        name  = "METRICS_PORT"
        value = "9090"
      }
      dynamic "env" {
        for_each = var.traces == null ? {} : {
          OTEL_EXPORTER_OTLP_ENDPOINT = var.traces.endpoint
          OTEL_TRACES_SAMPLER_ARG     = tostring(var.traces.ratio)
        }
        content {
          name  = env.key
          value = env.value
        }
      }
      resources {
        limits = { cpu = "1", memory = "512Mi" }
      }
      liveness_probe {
        http_get {
          path = "/health"
        }
      }
    }
  }
  depends_on = [google_service_account.router]
}

resource "google_cloud_run_v2_service_iam_member" "callers" {
  count    = var.is_primary ? 1 : 0
  project  = var.fleet.central.project
  location = var.region
  name     = google_cloud_run_v2_service.router[0].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_compute_region_network_endpoint_group" "router" {
  count                 = var.is_primary ? 1 : 0
  project               = var.fleet.central.project
  region                = var.region
  name                  = "router-${var.residency}"
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloud_run_v2_service.router[0].name
  }
}

resource "google_compute_backend_service" "router" {
  count                 = var.is_primary && local.is_global ? 1 : 0
  project               = var.fleet.central.project
  name                  = "router-${var.residency}"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.by_address[0].id
  backend {
    group = google_compute_region_network_endpoint_group.router[0].id
  }
}

resource "google_compute_region_backend_service" "router" {
  provider              = google-beta
  count                 = var.is_primary && !local.is_global ? 1 : 0
  project               = var.fleet.central.project
  region                = var.region
  name                  = "router-${var.residency}"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_region_security_policy.by_address[0].self_link
  backend {
    group = google_compute_region_network_endpoint_group.router[0].id
  }
}

# Keyed by address: a key taken from a header would let strangers use up another tenant's share.
resource "google_compute_security_policy" "by_address" {
  count   = var.is_primary && local.is_global ? 1 : 0
  project = var.fleet.central.project
  name    = "router-by-address"
  rule {
    action   = "throttle"
    priority = 2147483647
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = 6000
        interval_sec = 60
      }
    }
  }
}

# A regional backend service takes a policy by the preview of the provider only (6.50).
resource "google_compute_region_security_policy" "by_address" {
  count   = var.is_primary && !local.is_global ? 1 : 0
  project = var.fleet.central.project
  region  = var.region
  name    = "router-by-address"
  type    = "CLOUD_ARMOR"
  rules {
    action   = "throttle"
    priority = 2147483647
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = 6000
        interval_sec = 60
      }
    }
  }
}
