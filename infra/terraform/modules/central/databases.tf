# The registry, what each cell runs and how it came there, and the market values that every cell copies. None of them holds
# anything of a tenant's customers.
locals {
  databases = toset([var.central.controlDatabase, var.central.deployDatabase, var.central.marketDatabase])
}

resource "google_firestore_database" "this" {
  for_each                          = local.databases
  project                           = var.central.project
  name                              = each.value
  location_id                       = var.central.location
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "PESSIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"
}

resource "google_firestore_backup_schedule" "daily" {
  for_each  = local.databases
  project   = var.central.project
  database  = google_firestore_database.this[each.value].name
  retention = "2592000s" # 30 days
  daily_recurrence {}
}

resource "google_firestore_field" "market" {
  for_each   = { for f in var.market_indexes.fieldOverrides : "${f.collectionGroup}/${f.fieldPath}" => f }
  project    = var.central.project
  database   = google_firestore_database.this[var.central.marketDatabase].name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath
  index_config {}
}
