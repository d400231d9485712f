# What people promise each other about this cell, and who is told when it is not kept. Each alert names its runbook.
resource "google_monitoring_notification_channel" "this" {
  for_each     = toset(var.alerts)
  project      = local.project
  display_name = "Alarms of cell ${var.id}"
  type         = "email"
  labels       = { email_address = each.value }
}

locals {
  channels = [for address in var.alerts : google_monitoring_notification_channel.this[address].name]
}

resource "google_monitoring_custom_service" "this" {
  project      = local.project
  service_id   = "cell-${var.id}"
  display_name = "Cell ${var.id}"
}

locals {
  api = "resource.type=\"cloud_run_revision\" resource.label.service_name=\"${local.names.api}\" metric.type=\"run.googleapis.com/request_count\""
}

resource "google_monitoring_slo" "availability" {
  project             = local.project
  service             = google_monitoring_custom_service.this.service_id
  slo_id              = "availability"
  display_name        = "99.9 % of requests answered without a fault of ours, over 28 days"
  goal                = 0.999
  rolling_period_days = 28
  request_based_sli {
    good_total_ratio {
      total_service_filter = local.api
      bad_service_filter   = "${local.api} metric.label.response_code_class=\"5xx\""
    }
  }
}

locals {
  # Burn rates of the SRE workbook: 2 % of the month's errors in an hour, 5 % in six.
  burns = { fast = { rate = 14.4, window = "3600s" }, slow = { rate = 6, window = "21600s" } }
}

resource "google_monitoring_alert_policy" "burn" {
  for_each              = local.burns
  project               = local.project
  display_name          = "Cell ${var.id}: errors burn the budget ${each.value.rate} times too fast"
  combiner              = "OR"
  notification_channels = local.channels
  conditions {
    display_name = "burn rate over ${each.value.window}"
    condition_threshold {
      filter          = "select_slo_burn_rate(\"${google_monitoring_slo.availability.id}\", \"${each.value.window}\")"
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.rate
      duration        = "0s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "Cell ${var.id} (${var.manifest.name}). Runbook: ${var.runbooks}/bad-deploy.md"
  }
}

# A run that does not end well leaves no 2xx: silence is what is watched for.
resource "google_monitoring_alert_policy" "silent" {
  for_each              = { replicate = "market values grow old", sink = "events pile up in the outbox" }
  project               = local.project
  display_name          = "Cell ${var.id}: ${each.value}, ${each.key} has not ended well for 10 minutes"
  combiner              = "OR"
  notification_channels = local.channels
  conditions {
    display_name = "no good run of ${each.key}"
    condition_absent {
      filter   = "resource.type=\"cloud_run_revision\" resource.label.service_name=\"${local.names[each.key]}\" metric.type=\"run.googleapis.com/request_count\" metric.label.response_code_class=\"2xx\""
      duration = "600s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_RATE"
        # Over all revisions: each deploy ends the series of the one before it, which is no silence.
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "Cell ${var.id} (${var.manifest.name}). Runbook: ${var.runbooks}/cell-loss.md"
  }
}

# Runs that fail inside may end well outside: their own lines are what rings. `alarm` names what somebody must look at.
resource "google_monitoring_alert_policy" "alarms" {
  for_each              = toset(["replicate", "sink"])
  project               = local.project
  display_name          = "Cell ${var.id}: ${each.key} says that it cannot do its work"
  combiner              = "OR"
  notification_channels = local.channels
  conditions {
    display_name = "an alarm of ${each.key}"
    condition_matched_log {
      filter = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.names[each.value]}\" AND (severity>=ERROR OR jsonPayload.alarm:*)"
    }
  }
  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "Cell ${var.id} (${var.manifest.name}). Runbook: ${var.runbooks}/cell-loss.md"
  }
}

resource "google_monitoring_dashboard" "this" {
  project = local.project
  dashboard_json = jsonencode({
    displayName = "Cell ${var.id}"
    mosaicLayout = {
      columns = 12
      tiles = [
        for n, chart in [
          ["Requests by class", "run.googleapis.com/request_count", "ALIGN_RATE", "metric.label.response_code_class"],
          ["Latency p99", "run.googleapis.com/request_latencies", "ALIGN_PERCENTILE_99", "resource.label.service_name"],
          ["Instances", "run.googleapis.com/container/instance_count", "ALIGN_MAX", "resource.label.service_name"],
          ["Memory", "run.googleapis.com/container/memory/utilizations", "ALIGN_PERCENTILE_99", "resource.label.service_name"],
          ] : {
          xPos = 6 * (n % 2), yPos = 4 * floor(n / 2), width = 6, height = 4
          widget = {
            title = chart[0]
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = "resource.type=\"cloud_run_revision\" resource.label.service_name=monitoring.regex.full_match(\"${var.id}-(api|bulk|replicate|sink)\") metric.type=\"${chart[1]}\""
                    aggregation = {
                      alignmentPeriod    = "60s", perSeriesAligner = chart[2]
                      crossSeriesReducer = chart[2] == "ALIGN_RATE" ? "REDUCE_SUM" : "REDUCE_MAX", groupByFields = [chart[3]]
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })
}

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = "Cell ${var.id}"
  budget_filter {
    projects = ["projects/${local.project}"]
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  # Google answers with the project's number. A cell's project never changes.
  lifecycle {
    ignore_changes = [budget_filter[0].projects]
  }
}
