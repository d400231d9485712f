# Address, certificate and proxy. A regional load balancer ends TLS in its region, which a residency asks for.
locals {
  project = local.is_global ? var.fleet.central.project : lookup(var.fleet.edges, var.residency)
  # What one certificate stands for: clients' hosts of the zone, and origins of cells. A name is proven once a project: a second
  # region proves its own hosts, one by one, and leaves the first one's records alone.
  names = var.is_primary ? compact([local.has_clients ? "*.${var.fleet.zone}" : "", "*.cells.${var.fleet.zone}"]) : sort(local.all)
  # A pinned tenant's own hosts are in the region of its cell, primary or not.
  has_clients = anytrue([for m in values(local.matchers) : !m.origin && length(m.hosts) > 0])
  slug        = local.is_global ? "global" : "${var.residency}-${var.region}"
  all         = distinct(flatten([for m in values(local.matchers) : m.hosts]))
}

resource "google_certificate_manager_dns_authorization" "this" {
  for_each = toset([for n in local.names : trimprefix(n, "*.")])
  project  = local.project
  location = local.is_global ? "global" : var.region
  name     = "${local.slug}-${replace(each.value, ".", "-")}"
  domain   = each.value
  type     = "PER_PROJECT_RECORD"
}

# By which Google sees that the names are ours: without it no certificate is issued.
resource "google_dns_record_set" "proof" {
  for_each     = google_certificate_manager_dns_authorization.this
  project      = var.fleet.central.project
  managed_zone = replace(var.fleet.zone, ".", "-")
  name         = each.value.dns_resource_record[0].name
  type         = "CNAME"
  ttl          = 300
  rrdatas      = [each.value.dns_resource_record[0].data]
}

# Other names are another certificate, made before the former goes: it is named by what it stands for.
resource "google_certificate_manager_certificate" "this" {
  project  = local.project
  location = local.is_global ? "global" : var.region
  name     = "${local.slug}-${substr(sha256(join(",", local.names)), 0, 8)}"
  lifecycle {
    create_before_destroy = true
  }
  managed {
    domains            = local.names
    dns_authorizations = [for a in google_certificate_manager_dns_authorization.this : a.id]
  }
}

resource "google_certificate_manager_certificate_map" "this" {
  count   = local.is_global ? 1 : 0
  project = local.project
  name    = local.slug
}

resource "google_certificate_manager_certificate_map_entry" "this" {
  for_each     = local.is_global ? toset(local.names) : toset([])
  project      = local.project
  map          = google_certificate_manager_certificate_map.this[0].name
  name         = replace(replace(each.value, "*", "any"), ".", "-")
  hostname     = each.value
  certificates = [google_certificate_manager_certificate.this.id]
}

resource "google_compute_global_address" "this" {
  count   = local.is_global ? 1 : 0
  project = local.project
  name    = "edge-global"
}

# TLS 1.2 and ciphers of today at least: what comes without is older.
resource "google_compute_ssl_policy" "this" {
  count           = local.is_global ? 1 : 0
  project         = local.project
  name            = "edge-global"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_region_ssl_policy" "this" {
  count           = local.is_global ? 0 : 1
  project         = local.project
  region          = var.region
  name            = "edge-${local.slug}"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "this" {
  count           = local.is_global ? 1 : 0
  project         = local.project
  name            = "edge-global"
  url_map         = google_compute_url_map.this[0].id
  ssl_policy      = google_compute_ssl_policy.this[0].id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.this[0].id}"
}

resource "google_compute_global_forwarding_rule" "this" {
  count                 = local.is_global ? 1 : 0
  project               = local.project
  name                  = "edge-global"
  target                = google_compute_target_https_proxy.this[0].id
  ip_address            = google_compute_global_address.this[0].id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}

resource "google_compute_network" "this" {
  count                   = local.is_global ? 0 : 1
  project                 = local.project
  name                    = "edge-${local.slug}"
  auto_create_subnetworks = false
}

# Where the proxies of the region take their addresses from.
resource "google_compute_subnetwork" "proxies" {
  count         = local.is_global ? 0 : 1
  project       = local.project
  region        = var.region
  name          = "edge-${local.slug}"
  network       = google_compute_network.this[0].id
  ip_cidr_range = "10.0.0.0/23"
  purpose       = "REGIONAL_MANAGED_PROXY"
  role          = "ACTIVE"
}

resource "google_compute_address" "this" {
  count        = local.is_global ? 0 : 1
  project      = local.project
  region       = var.region
  name         = "edge-${local.slug}"
  network_tier = "STANDARD"
}

resource "google_compute_region_target_https_proxy" "this" {
  count                            = local.is_global ? 0 : 1
  project                          = local.project
  region                           = var.region
  name                             = "edge-${local.slug}"
  url_map                          = google_compute_region_url_map.this[0].id
  ssl_policy                       = google_compute_region_ssl_policy.this[0].id
  certificate_manager_certificates = [google_certificate_manager_certificate.this.id]
}

resource "google_compute_forwarding_rule" "this" {
  count                 = local.is_global ? 0 : 1
  project               = local.project
  region                = var.region
  name                  = "edge-${local.slug}"
  target                = google_compute_region_target_https_proxy.this[0].id
  ip_address            = google_compute_address.this[0].id
  port_range            = "443"
  network               = google_compute_network.this[0].id
  network_tier          = "STANDARD"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  depends_on            = [google_compute_subnetwork.proxies]
}

resource "google_dns_record_set" "this" {
  for_each     = toset(local.all)
  project      = var.fleet.central.project
  managed_zone = replace(var.fleet.zone, ".", "-")
  name         = "${each.value}."
  type         = "A"
  ttl          = 300
  rrdatas = [
    local.is_global ? google_compute_global_address.this[0].address : google_compute_address.this[0].address
  ]
}
