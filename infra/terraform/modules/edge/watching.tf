# What a router itself takes for a fault reaches somebody. What clients get is watched at the cells, whose answers they are.
locals {
  watched = var.is_primary ? toset(var.fleet.alerts) : toset([])
}

resource "google_monitoring_notification_channel" "this" {
  for_each     = local.watched
  project      = local.project
  display_name = "Alarms of the router of ${var.residency}"
  type         = "email"
  labels       = { email_address = each.value }
}

resource "google_monitoring_alert_policy" "router" {
  count                 = var.is_primary ? 1 : 0
  project               = local.project
  display_name          = "Router of ${var.residency}: a fault of its own"
  combiner              = "OR"
  notification_channels = [for address in local.watched : google_monitoring_notification_channel.this[address].name]
  conditions {
    display_name = "the router says so"
    condition_matched_log {
      filter = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"router-${var.residency}\" AND (severity>=ERROR OR jsonPayload.message=\"directory not believed\" OR jsonPayload.message=\"directory source failed\")"
    }
  }
  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "Runbook: ${var.runbooks}/directory-loss.md"
  }
}
