# Secrets of a residency, kept in it. Terraform makes them and never a version: what is secret is in no state. `latest` is what is
# sent; while a proof is changed, cells take the one before it too.
resource "google_secret_manager_secret" "this" {
  for_each = {
    edge-config = "Connection string of the directory"
    fleet-proof = "By which cells know the router, the publisher and the canary on *.cells"
  }
  project     = var.project
  secret_id   = "${each.key}-${var.residency}"
  annotations = { purpose = each.value }
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

locals {
  router    = "serviceAccount:${google_service_account.router.account_id}@${var.project}.iam.gserviceaccount.com"
  deployers = { for id in var.cells : "canary of ${id}" => "serviceAccount:deploy-${id}@${var.central_project}.iam.gserviceaccount.com" }
  publish   = { for member in var.operators : "publisher ${member}" => member }
  readers = merge(
    { "router, directory" = { secret = "edge-config", member = local.router } },
    { "router, proof" = { secret = "fleet-proof", member = local.router } },
    { for who, member in merge(local.deployers, local.publish) : who => { secret = "fleet-proof", member = member } },
  )
}

# Cells read the proof too: the centre grants them that (modules/central/cells.tf), because their accounts come with the cells.
resource "google_secret_manager_secret_iam_member" "readers" {
  for_each  = local.readers
  project   = var.project
  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}
