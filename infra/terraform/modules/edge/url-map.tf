# One map for each kind of load balancer: the provider has two resources with the same arguments.
resource "google_compute_url_map" "this" {
  count           = local.is_global ? 1 : 0
  project         = local.project
  name            = "edge-${var.residency}"
  default_service = local.unused
  # A host that nobody gave: answered here, as the router would.
  default_route_action {
    fault_injection_policy {
      abort {
        http_status = 421
        percentage  = 100
      }
    }
  }
  dynamic "host_rule" {
    for_each = local.matchers
    content {
      hosts        = host_rule.value.hosts
      path_matcher = host_rule.key
    }
  }
  dynamic "path_matcher" {
    for_each = local.matchers
    content {
      name            = path_matcher.key
      default_service = path_matcher.value.default
      dynamic "route_rules" {
        for_each = path_matcher.value.origin ? [] : concat(path_matcher.value.rules, [{ service = path_matcher.value.default, matches = [{ prefix = "/" }] }])
        content {
          priority = route_rules.key
          service  = route_rules.value.service
          header_action {
            request_headers_to_remove  = local.reserved
            response_headers_to_remove = local.reserved
          }
          dynamic "match_rules" {
            for_each = route_rules.value.matches
            content {
              full_path_match     = lookup(match_rules.value, "full_path", null)
              prefix_match        = lookup(match_rules.value, "prefix", null)
              path_template_match = lookup(match_rules.value, "template", null)
              dynamic "header_matches" {
                for_each = lookup(match_rules.value, "tenant", null) == null ? [] : [match_rules.value.tenant]
                content {
                  header_name = "x-tenant-id"
                  exact_match = header_matches.value
                }
              }
            }
          }
        }
      }
    }
  }
  # The map knows the router by its name alone.
  depends_on = [google_compute_backend_service.router]
}

resource "google_compute_region_url_map" "this" {
  count           = local.is_global ? 0 : 1
  project         = local.project
  region          = var.region
  name            = "edge-${var.residency}"
  default_service = local.unused
  # A host that nobody gave: answered here, as the router would.
  default_route_action {
    fault_injection_policy {
      abort {
        http_status = 421
        percentage  = 100
      }
    }
  }
  dynamic "host_rule" {
    for_each = local.matchers
    content {
      hosts        = host_rule.value.hosts
      path_matcher = host_rule.key
    }
  }
  dynamic "path_matcher" {
    for_each = local.matchers
    content {
      name            = path_matcher.key
      default_service = path_matcher.value.default
      dynamic "route_rules" {
        for_each = path_matcher.value.origin ? [] : concat(path_matcher.value.rules, [{ service = path_matcher.value.default, matches = [{ prefix = "/" }] }])
        content {
          priority = route_rules.key
          service  = route_rules.value.service
          header_action {
            request_headers_to_remove  = local.reserved
            response_headers_to_remove = local.reserved
          }
          dynamic "match_rules" {
            for_each = route_rules.value.matches
            content {
              full_path_match     = lookup(match_rules.value, "full_path", null)
              prefix_match        = lookup(match_rules.value, "prefix", null)
              path_template_match = lookup(match_rules.value, "template", null)
              dynamic "header_matches" {
                for_each = lookup(match_rules.value, "tenant", null) == null ? [] : [match_rules.value.tenant]
                content {
                  header_name = "x-tenant-id"
                  exact_match = header_matches.value
                }
              }
            }
          }
        }
      }
    }
  }
  depends_on = [google_compute_region_backend_service.router]
}
