variable "residency" {
  description = "Whose hosts and cells are behind this load balancer: global, eu or us."
  type        = string
  validation {
    condition     = contains(["global", "eu", "us"], var.residency)
    error_message = "A residency is global, eu or us."
  }
}

variable "region" {
  description = "Region of a regional load balancer; of the router, for the global one."
  type        = string
}

variable "is_primary" {
  description = "Clients' hosts of the residency and its router are here; another region of it holds origins of its cells only."
  type        = bool
}

variable "fleet" {
  description = "infra/fleet.json."
  type = object({
    zone          = string
    hosts         = map(object({ kind = string, residency = optional(string) }))
    central       = object({ project = string })
    edges         = map(string)
    pinnedTenants = map(object({ cell = string, hosts = list(string) }))
    ownHosts      = map(string)
    alerts        = list(string)
  })
}

variable "cells" {
  description = "Manifests of every cell of the residency, by id."
  type = map(object({
    project = string
    region  = string
    origins = object({ api = string, bulk = string })
  }))
}

variable "router_image" {
  description = "Image of the router, by digest."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.router_image))
    error_message = "Name the router's image by its digest (…@sha256:…): a tag can be moved."
  }
}

variable "traces" {
  description = "Collector of traces in the residency (OTLP over HTTP) with where it processes (eu, us, other), and how many of the traces that begin here are recorded, from 0 to 1; null: none."
  type        = object({ endpoint = string, ratio = number, jurisdiction = string })
  validation {
    condition     = var.traces == null ? true : startswith(var.traces.endpoint, "https://") && var.traces.ratio >= 0 && var.traces.ratio <= 1
    error_message = "Traces go to https://…, and the ratio is from 0 to 1."
  }
  validation {
    condition     = var.traces == null ? true : var.residency == "global" || var.traces.jurisdiction == var.residency
    error_message = "A residency's traces are not processed outside of it."
  }
}

variable "runbooks" {
  description = "Where runbooks are read, without the file's name."
  type        = string
}
