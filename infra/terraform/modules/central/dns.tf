# The fleet's zone. Each load balancer writes the records of its own hosts.
resource "google_dns_managed_zone" "this" {
  project     = var.central.project
  name        = replace(var.zone, ".", "-")
  dns_name    = "${var.zone}."
  description = "Hosts of the fleet and origins of its cells"
  dnssec_config {
    state = "on"
  }
}

# Mail and whatever else stood in the zone before: left out, it ends with the delegation. An empty name is the domain itself.
resource "google_dns_record_set" "kept" {
  for_each     = { for r in var.records : "${r.name} ${r.type}" => r }
  project      = var.central.project
  managed_zone = google_dns_managed_zone.this.name
  name         = each.value.name == "" ? "${var.zone}." : "${each.value.name}.${var.zone}."
  type         = each.value.type
  ttl          = each.value.ttl
  rrdatas      = each.value.rrdatas
}
