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
