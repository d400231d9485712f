# One identity a function, and for each exactly the databases that it works on. There is no grant without a condition: one
# would reach every database of the project, another cell's too.
resource "google_service_account" "this" {
  for_each     = local.names
  project      = local.project
  account_id   = each.value
  display_name = "Cell ${var.id}: ${each.key}"
}

locals {
  writes = merge(
    {
      for pair in setproduct(["api", "bulk", "sink"], keys(local.tenants_databases)) :
      "${pair[0]} writes ${pair[1]}" => { service = pair[0], database = pair[1], role = "roles/datastore.user" }
    },
    {
      "replicate writes ${var.manifest.marketDatabase.id}" = {
        service = "replicate", database = var.manifest.marketDatabase.id, role = "roles/datastore.user"
      }
    },
  )
  reads = {
    for service in ["api", "bulk"] : "${service} reads ${var.manifest.marketDatabase.id}" => {
      service = service, database = var.manifest.marketDatabase.id, role = "roles/datastore.viewer"
    }
  }
}

resource "google_project_iam_member" "database" {
  for_each = merge(local.writes, local.reads)
  project  = local.project
  role     = each.value.role
  member   = local.members[each.value.service]
  condition {
    title      = each.key
    expression = local.is_database[each.value.database]
  }
  depends_on = [google_service_account.this]
}

# What it may do in the central project, the centre grants (modules/central/cells.tf): who deploys a cell has no rights there.

# A key a day for pseudonyms. The sink makes them, kept in this cell's region alone and gone after 7 days; to create a
# secret is a right on the project, so it is one of its own, and reading is bound to the names of this cell.
resource "google_project_iam_custom_role" "day_keys" {
  project     = local.project
  role_id     = "dayKeys_${replace(var.id, "-", "_")}"
  title       = "Creates the analytics keys of cell ${var.id}"
  permissions = ["secretmanager.secrets.create"]
}

resource "google_project_iam_member" "creates_day_keys" {
  project    = local.project
  role       = "projects/${local.project}/roles/dayKeys_${replace(var.id, "-", "_")}"
  member     = local.members["sink"]
  depends_on = [google_service_account.this, google_project_iam_custom_role.day_keys]
}

resource "google_project_iam_member" "day_keys" {
  for_each = toset(["roles/secretmanager.secretAccessor", "roles/secretmanager.secretVersionAdder"])
  project  = local.project
  role     = each.value
  member   = local.members["sink"]
  condition {
    title      = "analytics keys of ${var.id}"
    expression = "resource.name.extract(\"/secrets/analytics-key-${var.id}-20{day}\") != \"\""
  }
  depends_on = [google_service_account.this]
}
