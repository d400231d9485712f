# What each of them may do, permission by permission: `used` is what all states take from nothing, as a test sees it, and `besides`
# says of every other one why it is there. None reads a document, a row or a secret.
locals {
  permissions = jsondecode(file("${path.module}/permissions.json"))
  every       = { for who, p in local.permissions : who => sort(distinct(concat(p.used, flatten(values(p.besides))))) }
  of_cells    = local.every.cells
  of_doors    = local.every.doors
  of_records  = local.every.records
  of_planner  = local.every.planner
}
