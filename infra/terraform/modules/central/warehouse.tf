# Raw rows of a residency stay in a dataset of its own place. What may leave it are sums with noise, which a job makes of
# views once a day and writes into the published dataset, the only one that analysts see.
locals {
  residencies = ["eu", "us", "global"]
  datasets = merge(
    { for r in local.residencies : "raw_${r}" => { role = "raw", location = var.warehouse_locations[r] } },
    { published = { role = "published", location = var.warehouse_locations.global } },
  )
  tables = merge([
    for id, dataset in local.datasets : {
      for table in var.warehouse.tables : "${id}.${table.name}" => merge(table, { id = id })
      if table.dataset == dataset.role
    }
  ]...)
  views = merge([
    for id, dataset in local.datasets : {
      for view in var.warehouse.views : "${id}.${view.name}" => merge(view, { id = id })
      if view.dataset == dataset.role
    }
  ]...)
  names = toset(var.warehouse.views[*].name)
  # By what they read. One that reads a view of views would come too early: such a definition is refused.
  of_views = {
    for key, view in local.views : key => [for name in local.names : name if length(regexall("\\}\\.${name}\\b", view.query)) > 0]
    if anytrue([for name in local.names : length(regexall("\\}\\.${name}\\b", view.query)) > 0])
  }
}

resource "google_bigquery_dataset" "this" {
  for_each                   = local.datasets
  project                    = var.central.project
  dataset_id                 = each.key
  location                   = each.value.location
  description                = each.value.role == "raw" ? "Anonymous rows of cells whose residency is ${trimprefix(each.key, "raw_")}. Nobody reads it but its views." : "The global view: sums with noise, of groups that are large and mixed enough."
  delete_contents_on_destroy = false
}

resource "google_bigquery_table" "this" {
  for_each            = local.tables
  project             = var.central.project
  dataset_id          = google_bigquery_dataset.this[each.value.id].dataset_id
  table_id            = each.value.name
  description         = each.value.description
  deletion_protection = true
  clustering          = each.value.clusterBy
  schema              = jsonencode(each.value.schema)
  dynamic "time_partitioning" {
    for_each = each.value.partitionBy == null ? [] : [each.value.partitionBy]
    content {
      type          = "DAY"
      field         = time_partitioning.value
      expiration_ms = each.value.expiresAfterDays == null ? null : each.value.expiresAfterDays * 86400000
    }
  }
}

# BigQuery wants what a view reads to be there: views of tables first, then views of those.
resource "google_bigquery_table" "view" {
  for_each            = { for key, view in local.views : key => view if !contains(keys(local.of_views), key) }
  project             = var.central.project
  dataset_id          = google_bigquery_dataset.this[each.value.id].dataset_id
  table_id            = each.value.name
  description         = each.value.description
  deletion_protection = false
  view {
    query          = replace(replace(each.value.query, "{raw}", "${var.central.project}.${each.value.id}"), "{published}", "${var.central.project}.published")
    use_legacy_sql = false
  }
  depends_on = [google_bigquery_table.this]
}

resource "google_bigquery_table" "view_of_views" {
  for_each            = { for key, view in local.views : key => view if contains(keys(local.of_views), key) }
  project             = var.central.project
  dataset_id          = google_bigquery_dataset.this[each.value.id].dataset_id
  table_id            = each.value.name
  description         = each.value.description
  deletion_protection = false
  view {
    query          = replace(replace(each.value.query, "{raw}", "${var.central.project}.${each.value.id}"), "{published}", "${var.central.project}.published")
    use_legacy_sql = false
  }
  depends_on = [google_bigquery_table.this, google_bigquery_table.view]
}

# Who publishes reads these views alone, never the rows behind them.
resource "google_bigquery_dataset_access" "publishable" {
  for_each = {
    for key, view in local.views : key => view if startswith(view.name, "publishable_")
  }
  project    = var.central.project
  dataset_id = google_bigquery_dataset.this[each.value.id].dataset_id
  view {
    project_id = var.central.project
    dataset_id = each.value.id
    table_id   = each.value.name
  }
  depends_on = [google_bigquery_table.view, google_bigquery_table.view_of_views]
}

# Sinks of cells add rows. They cannot read any.
resource "google_project_iam_custom_role" "appender" {
  project     = var.central.project
  role_id     = "warehouseAppender"
  title       = "Appends rows to the warehouse"
  permissions = ["bigquery.tables.get", "bigquery.tables.updateData"]
}

resource "google_bigquery_dataset_iam_member" "analysts" {
  for_each   = var.analysts
  project    = var.central.project
  dataset_id = google_bigquery_dataset.this["published"].dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value
}

resource "google_project_iam_member" "analysts_query" {
  for_each = var.analysts
  project  = var.central.project
  role     = "roles/bigquery.jobUser"
  member   = each.value
}
