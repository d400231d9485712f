# Functions take calls of everybody who comes through the load balancer, and authenticate them themselves. Their API knows no way to
# say so but a grant to allUsers, which organisations forbid by default: this project is an exception to that one rule. What reaches
# a function is decided by its ingress; policies let no other resource here be open to all.
resource "google_project_organization_policy" "callers" {
  count      = var.has_cells ? 1 : 0
  project    = var.project
  constraint = "constraints/iam.allowedPolicyMemberDomains"
  list_policy {
    allow {
      all = true
    }
  }
}
