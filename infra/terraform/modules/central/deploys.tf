# Who deploys a cell writes down what it deployed, in a database of its own: the registry beside it stays out of reach.
resource "google_project_iam_member" "deploys" {
  for_each = var.cells
  project  = var.central.project
  role     = "roles/datastore.user"
  member   = "serviceAccount:deploy-${each.key}@${var.central.project}.iam.gserviceaccount.com"
  condition {
    title      = "deploys"
    expression = "resource.name == \"projects/${var.central.project}/databases/${var.central.deployDatabase}\""
  }
}
