variable "central" {
  description = "central of infra/fleet.json."
  type = object({
    project         = string
    location        = string
    controlDatabase = string
    deployDatabase  = string
    marketDatabase  = string
  })
}

variable "warehouse_locations" {
  description = "warehouse of infra/fleet.json: where the raw dataset of each residency is, and the published one (global)."
  type        = object({ eu = string, us = string, global = string })
}

variable "warehouse" {
  description = "infra/warehouse.json: tables and views, as the code defines them."
  type = object({
    tables = list(object({
      dataset          = string
      name             = string
      description      = string
      partitionBy      = optional(string)
      clusterBy        = list(string)
      expiresAfterDays = optional(number)
      schema           = list(object({ name = string, type = string, mode = string, description = string }))
    }))
    views = list(object({ dataset = string, name = string, description = string, query = string }))
  })
}

variable "market_indexes" {
  description = "infra/firestore.market-indexes.json: exemptions of the published values' database."
  type        = object({ fieldOverrides = list(object({ collectionGroup = string, fieldPath = string })) })
}

variable "analysts" {
  description = "Who may query the published dataset, and nothing else: members such as group:analysts@example.com."
  type        = set(string)
}

variable "zone" {
  description = "zone of infra/fleet.json."
  type        = string
}

variable "doors" {
  description = "Project of each residency's front door."
  type        = map(string)
}

variable "records" {
  description = "What else the domain's zone holds, such as where its mail goes: whoever delegates the domain here brings these along first."
  type        = list(object({ name = string, type = string, ttl = number, rrdatas = list(string) }))
}

variable "cells" {
  description = "Project, region and residency of each cell."
  type        = map(object({ project = string, region = string, residency = string }))
}

variable "publisher_image" {
  description = "Image of the job that publishes market values, by digest."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.publisher_image))
    error_message = "Name the publisher's image by its digest (…@sha256:…): a tag can be moved."
  }
}

variable "market_makers" {
  description = "Who may put files of market values where they are taken from: members such as serviceAccount:…"
  type        = set(string)
}

variable "alerts" {
  description = "alerts of infra/fleet.json: addresses that are told."
  type        = list(string)
}

variable "runbooks" {
  description = "Where runbooks are read."
  type        = string
}
