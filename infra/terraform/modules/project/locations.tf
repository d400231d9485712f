# New resources may be made inside the residency only. It says nothing of what is there already: cells check the location of
# their databases at start, and `fleet residency audit` checks what is declared.
resource "google_project_organization_policy" "locations" {
  count      = var.residency == "global" ? 0 : 1
  project    = var.project
  constraint = "constraints/gcp.resourceLocations"
  list_policy {
    allow {
      values = ["in:${var.residency}-locations"]
    }
  }
}
