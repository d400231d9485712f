# The router runs in the residency, by an identity that is there before it (modules/residency). It keeps what it knows when everything behind it is down.
resource "google_cloud_run_v2_service" "router" {
  count               = var.is_primary ? 1 : 0
  project             = local.project
  location            = var.region
  name                = "router-${var.residency}"
  ingress             = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  deletion_protection = true
  # Whoever comes through the load balancer may call, and nobody else gets here: no grant to allUsers, which organisations forbid.
  invoker_iam_disabled = true
  template {
    service_account                  = "router-${var.residency}@${local.project}.iam.gserviceaccount.com"
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
            secret  = "edge-config-${var.residency}"
            version = "latest"
          }
        }
      }
      # Without it cells take the router for a stranger.
      env {
        name = "PROOF_SECRETS"
        value_source {
          secret_key_ref {
            secret  = "fleet-proof-${var.residency}"
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
        value = local.project
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
        # Paid while it serves. What it does beside (fetching the directory anew, sending spans) goes on with the next request.
        cpu_idle          = true
        startup_cpu_boost = true
      }
      liveness_probe {
        http_get {
          path = "/health"
        }
      }
    }
  }
}

resource "google_compute_region_network_endpoint_group" "router" {
  count                 = var.is_primary ? 1 : 0
  project               = local.project
  region                = var.region
  name                  = "router-${var.residency}"
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloud_run_v2_service.router[0].name
  }
}

resource "google_compute_backend_service" "router" {
  count                 = var.is_primary && local.is_global ? 1 : 0
  project               = local.project
  name                  = "router-${var.residency}"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.by_address[0].id
  backend {
    group           = google_compute_region_network_endpoint_group.router[0].id
    capacity_scaler = 1
  }
  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

resource "google_compute_region_backend_service" "router" {
  count                 = var.is_primary && !local.is_global ? 1 : 0
  project               = local.project
  region                = var.region
  name                  = "router-${var.residency}"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_region_security_policy.by_address[0].self_link
  backend {
    group           = google_compute_region_network_endpoint_group.router[0].id
    capacity_scaler = 1
  }
  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

# Keyed by address: a key taken from a header would let strangers use up another tenant's share.
resource "google_compute_security_policy" "by_address" {
  count   = var.is_primary && local.is_global ? 1 : 0
  project = local.project
  name    = "router-by-address"
  type    = "CLOUD_ARMOR"
  rule {
    action      = "deny(403)"
    priority    = 1
    description = "A packed body is inflated before the cell sees its size"
    match {
      expr {
        expression = "has(request.headers['content-encoding'])"
      }
    }
  }
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

resource "google_compute_region_security_policy" "by_address" {
  count   = var.is_primary && !local.is_global ? 1 : 0
  project = local.project
  region  = var.region
  name    = "router-by-address"
  type    = "CLOUD_ARMOR"
  rules {
    action      = "deny(403)"
    priority    = 1
    description = "A packed body is inflated before the cell sees its size"
    match {
      expr {
        expression = "has(request.headers['content-encoding'])"
      }
    }
  }
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
