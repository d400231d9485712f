# From the definitions that the code's queries are checked against. Creating many at once is answered by 409: apply with
# -parallelism=4.
locals {
  composites = merge([
    for database in keys(local.tenants_databases) : {
      for index in var.indexes.indexes :
      "${database}/${index.collectionGroup}/${join(",", [for f in index.fields : "${f.fieldPath} ${f.order}"])}" =>
      merge(index, { database = database })
    }
  ]...)
  overrides = merge(concat(
    [
      for database in keys(local.tenants_databases) : {
        for field in var.indexes.fieldOverrides :
        "${database}/${field.collectionGroup}/${field.fieldPath}" => merge(field, { database = database })
      }
    ],
    [{
      for field in var.market_indexes.fieldOverrides :
      "${var.manifest.marketDatabase.id}/${field.collectionGroup}/${field.fieldPath}" =>
      merge(field, { database = var.manifest.marketDatabase.id, ttl = false })
    }],
  )...)
}

resource "google_firestore_index" "this" {
  for_each    = local.composites
  project     = local.project
  database    = google_firestore_database.this[each.value.database].name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope
  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.fieldPath
      order      = fields.value.order
    }
  }
}

# Fields without an index of their own: those that only grow would cap a collection at 500 writes a second.
resource "google_firestore_field" "this" {
  for_each   = local.overrides
  project    = local.project
  database   = google_firestore_database.this[each.value.database].name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath
  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes
      content {
        order       = indexes.value.order
        query_scope = indexes.value.queryScope
      }
    }
  }
  dynamic "ttl_config" {
    for_each = each.value.ttl ? [true] : []
    content {}
  }
}
