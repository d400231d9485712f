# What the load balancer sends to. A serverless endpoint group must be in its service's project, so it is here; the URL map
# in the edge's state names these backend services and reads nothing of this state.
resource "google_compute_region_network_endpoint_group" "this" {
  for_each              = toset(["api", "bulk"])
  project               = local.project
  region                = var.manifest.region
  name                  = local.names[each.key]
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloudfunctions2_function.this[each.key].name
  }
}

# Global data: behind the global load balancer.
resource "google_compute_backend_service" "this" {
  for_each              = local.is_global ? google_compute_region_network_endpoint_group.this : {}
  project               = local.project
  name                  = local.names[each.key]
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = one(google_compute_security_policy.this[*].id)
  backend {
    group           = each.value.id
    capacity_scaler = 1
  }
  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

# A residency's data: behind the load balancer of its region, where TLS ends too.
resource "google_compute_region_backend_service" "this" {
  for_each              = local.is_global ? {} : google_compute_region_network_endpoint_group.this
  project               = local.project
  region                = var.manifest.region
  name                  = local.names[each.key]
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_region_security_policy.this[0].self_link
  backend {
    group           = each.value.id
    capacity_scaler = 1
  }
  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

# Limits are for clients, which come by hosts of theirs. On a cell's origin all come by the router, from few addresses, and each was
# counted at its front door. A key taken from a header would let strangers use up another tenant's share.
locals {
  refusals = [
    {
      why    = "A packed body is inflated before the cell sees its size"
      when   = "has(request.headers['content-encoding'])"
      action = "deny(403)"
    },
    {
      why    = "Origins of the cell: the router's"
      when   = join(" || ", [for o in [var.manifest.origins.api, var.manifest.origins.bulk] : "request.headers['host'] == '${trimprefix(o, "https://")}'"])
      action = "allow"
    },
  ]
}

resource "google_compute_security_policy" "this" {
  count   = local.is_global ? 1 : 0
  project = local.project
  name    = "${var.id}-by-address"
  type    = "CLOUD_ARMOR"
  dynamic "rule" {
    for_each = local.refusals
    content {
      action      = rule.value.action
      priority    = rule.key + 1
      description = rule.value.why
      match {
        expr {
          expression = rule.value.when
        }
      }
    }
  }
  rule {
    action      = "throttle"
    priority    = 2147483647
    description = "Clients that come past the router, by address"
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

resource "google_compute_region_security_policy" "this" {
  count   = local.is_global ? 0 : 1
  project = local.project
  region  = var.manifest.region
  name    = "${var.id}-by-address"
  type    = "CLOUD_ARMOR"
  dynamic "rules" {
    for_each = local.refusals
    content {
      action      = rules.value.action
      priority    = rules.key + 1
      description = rules.value.why
      match {
        expr {
          expression = rules.value.when
        }
      }
    }
  }
  rules {
    action      = "throttle"
    priority    = 2147483647
    description = "Clients that come past the router, by address"
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

# The URL map is in the project of the residency's front door: it may use these backend services, and nothing else here.
resource "google_project_iam_member" "edge" {
  project = local.project
  role    = "roles/compute.loadBalancerServiceUser"
  member  = "serviceAccount:deploy-edge@${var.central.project}.iam.gserviceaccount.com"
  condition {
    title      = "backend services of ${var.id}"
    expression = "resource.type == \"compute.googleapis.com/BackendService\" || resource.type == \"compute.googleapis.com/RegionBackendService\""
  }
}
