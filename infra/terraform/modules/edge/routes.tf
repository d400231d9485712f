# Where a request goes, as data. The same table of cases is replayed against this map and against the router: what the map
# sends straight to a cell, the router would have sent to that cell too.
locals {
  is_global = var.residency == "global"
  scope     = local.is_global ? "global" : "regions/${var.region}"
  router    = "projects/${local.project}/${local.scope}/backendServices/router-${var.residency}"
  here      = { for id, c in var.cells : id => c if local.is_global || c.region == var.region }
  service = merge([
    for id, c in local.here : {
      for s in ["api", "bulk"] : "${id}-${s}" => "projects/${c.project}/${local.scope}/backendServices/${id}-${s}"
    }
  ]...)

  # A map must name a service that there is, also where it sends nobody: the router is in the primary region only.
  unused = var.is_primary ? local.router : local.service["${sort(keys(local.here))[0]}-api"]

  # Hosts of clients. A region host with one cell needs no router: there is nowhere else to go.
  hosts = !var.is_primary ? [] : [
    for host, h in var.fleet.hosts : host
    if local.is_global ? h.kind == "global" : h.kind == "region" && h.residency == var.residency
  ]
  only = !local.is_global && length(var.cells) == 1 ? one(keys(var.cells)) : null
  # A pinned tenant goes past the router where its cell can be reached from here.
  pinned    = { for tenant, p in var.fleet.pinnedTenants : tenant => p if contains(keys(local.here), p.cell) }
  own_hosts = !var.is_primary ? [] : [for host, residency in var.fleet.ownHosts : host if residency == var.residency]

  imports = [
    { full_path = "/v1/imports" },
    { template = "/v1/imports/**" },
    { template = "/t/*/v1/imports" },
    { template = "/t/*/v1/imports/**" },
  ]
  to_bulk = { for id in keys(local.here) : id => { service = local.service["${id}-bulk"], matches = local.imports } }

  # The first that matches counts: bulk before api, the path before the header.
  pin_rules = flatten([
    for tenant, p in local.pinned : [
      {
        service = local.service["${p.cell}-bulk"]
        matches = [{ full_path = "/t/${tenant}/v1/imports" }, { template = "/t/${tenant}/v1/imports/**" }]
      },
      { service = local.service["${p.cell}-api"], matches = [{ prefix = "/t/${tenant}/" }] },
      {
        service = local.service["${p.cell}-bulk"]
        matches = [for m in local.imports : merge(m, { tenant = tenant })]
      },
      { service = local.service["${p.cell}-api"], matches = [{ prefix = "/", tenant = tenant }] },
    ]
  ])

  # Each kind has names of its own: a tenant and a cell may be called alike.
  matchers = merge(
    length(local.hosts) + length(local.own_hosts) == 0 ? {} : {
      clients = {
        hosts   = local.hosts
        default = local.only == null ? local.router : local.service["${local.only}-api"]
        rules   = local.only == null ? local.pin_rules : [local.to_bulk[local.only]]
        origin  = false
      }
    },
    length(local.own_hosts) == 0 ? {} : {
      own = { hosts = local.own_hosts, default = local.router, rules = [], origin = false }
    },
    {
      for tenant, p in local.pinned : "pinned-${tenant}" => {
        hosts = p.hosts, default = local.service["${p.cell}-api"], rules = [local.to_bulk[p.cell]], origin = false
      } if length(p.hosts) > 0
    },
    merge([
      for id, c in local.here : {
        for s, origin in c.origins : "origin-${id}-${s}" => {
          hosts = [trimprefix(origin, "https://")], default = local.service["${id}-${s}"], rules = [], origin = true
        }
      }
    ]...),
  )

  # Nobody outside says what only the router may say, nor hears what cells tell it. On origins the router itself speaks.
  reserved = ["x-proveniq-epoch", "x-proveniq-host", "x-proveniq-successor"]
}
