# An API that a plan no longer names is left on: to switch it off takes down all that still uses it.
resource "google_project_service" "this" {
  for_each           = var.apis
  project            = var.project
  service            = each.value
  disable_on_destroy = false
}
