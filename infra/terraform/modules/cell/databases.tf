# Tenants' databases and the replica of market values. None of them can go with a plan: two locks, and Terraform would
# only forget it.
resource "google_firestore_database" "this" {
  for_each                          = local.databases
  project                           = local.project
  name                              = each.key
  location_id                       = each.value.location
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "PESSIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"
}

# Beyond the 7 days of point in time recovery. The replica is made anew from the centre instead.
resource "google_firestore_backup_schedule" "daily" {
  for_each  = local.tenants_databases
  project   = local.project
  database  = google_firestore_database.this[each.key].name
  retention = "2592000s" # 30 days
  # A database that a restored one takes the place of keeps its backups.
  deletion_policy = "ABANDON"
  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  for_each        = local.tenants_databases
  project         = local.project
  database        = google_firestore_database.this[each.key].name
  retention       = "8467200s" # 14 weeks, the longest there is
  deletion_policy = "ABANDON"
  weekly_recurrence {
    day = "SUNDAY"
  }
}

# Clients reach data through the API alone: rules let nobody in. In Cell 0 that takes the place of the rules that were there, once:
# apps that still read Firestore themselves end with that apply.
resource "google_firebaserules_ruleset" "deny_all" {
  project = local.project
  source {
    files {
      name    = "firestore.rules"
      content = "rules_version = '2';\nservice cloud.firestore {\n  match /databases/{database}/documents {\n    match /{document=**} {\n      allow read, write: if false;\n    }\n  }\n}\n"
    }
  }
}

resource "google_firebaserules_release" "deny_all" {
  for_each     = local.databases
  project      = local.project
  name         = each.key == "(default)" ? "cloud.firestore" : "cloud.firestore/${each.key}"
  ruleset_name = google_firebaserules_ruleset.deny_all.name
  depends_on   = [google_firestore_database.this]
}
