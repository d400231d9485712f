# What cells may do here, and no more: pull published market values, and add rows to the raw dataset of their residency. The
# accounts are the cells' own, so a new cell is applied first and this after it.
resource "google_project_iam_member" "published_values" {
  for_each = var.cells
  project  = var.central.project
  role     = "roles/datastore.viewer"
  member   = "serviceAccount:${each.key}-replicate@${each.value.project}.iam.gserviceaccount.com"
  condition {
    title      = "${each.key} reads published market values"
    expression = "resource.name == \"projects/${var.central.project}/databases/${var.central.marketDatabase}\""
  }
}

resource "google_bigquery_dataset_iam_member" "appends" {
  for_each   = var.cells
  project    = var.central.project
  dataset_id = google_bigquery_dataset.this["raw_${each.value.residency}"].dataset_id
  role       = "projects/${var.central.project}/roles/warehouseAppender"
  member     = "serviceAccount:${each.key}-sink@${each.value.project}.iam.gserviceaccount.com"
  depends_on = [google_project_iam_custom_role.appender]
}

# By which they know the router, the publisher and the canary: on their origins nobody else is heard.
resource "google_secret_manager_secret_iam_member" "proof" {
  for_each = {
    for pair in setproduct(keys(var.cells), ["api", "bulk"]) : "${pair[0]}-${pair[1]}" => var.cells[pair[0]]
  }
  project   = var.doors[each.value.residency]
  secret_id = "fleet-proof-${each.value.residency}"
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${each.key}@${each.value.project}.iam.gserviceaccount.com"
}

# The key of each cell's canary tenant, which its deployer reads (modules/ci). Its version is written once the tenant is there.
resource "google_secret_manager_secret" "canary_key" {
  for_each  = var.cells
  project   = var.central.project
  secret_id = "canary-key-${each.key}"
  replication {
    user_managed {
      replicas {
        location = each.value.region
      }
    }
  }
}
