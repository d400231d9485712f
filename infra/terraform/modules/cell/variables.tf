variable "id" {
  description = "The cell: the name of its folder in infra/cells."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.id))
    error_message = "A cell's id has 2 to 20 lower-case letters, digits and hyphens: it becomes part of cloud names."
  }
  # Day keys are called analytics-key-<cell>-20…: those of cell eu-2030 would look like keys of cell eu.
  validation {
    condition     = !strcontains(var.id, "-20")
    error_message = "A cell's id must not contain \"-20\": its analytics keys could be taken for another cell's."
  }
}

variable "manifest" {
  description = "Its cell.json, as it is."
  type = object({
    name           = string
    tier           = string
    region         = string
    residency      = string
    project        = string
    databases      = list(object({ id = string, location = string }))
    marketDatabase = object({ id = string, location = string })
    origins        = object({ api = string, bulk = string })
    wave           = number
    capacity = object({
      apiInstances    = number
      bulkInstances   = number
      concurrency     = number
      writesPerSecond = number
    })
    issuers = list(object({
      issuer       = string
      jurisdiction = string
      exemption    = optional(object({ name = string, reason = string, until = string }))
    }))
    maxReplicaLagSeconds = number
  })
  validation {
    condition = var.manifest.residency == "global" || alltrue([
      for i in var.manifest.issuers : i.jurisdiction == var.manifest.residency || (
        i.exemption == null ? false : timecmp("${i.exemption.until}T23:59:59Z", plantimestamp()) >= 0
      )
    ])
    error_message = "An issuer processes people's identities outside of the cell's residency, and no exemption holds: see `fleet residency audit`."
  }
  validation {
    condition     = alltrue([for i in var.manifest.issuers : i.jurisdiction == "us" || !startswith(i.issuer, "https://securetoken.google.com/")])
    error_message = "Firebase Authentication processes in the United States: its jurisdiction is \"us\"."
  }
}

variable "manifest_json" {
  description = "Its cell.json as the functions are given it: without what only those who judge read."
  type        = string
}

variable "default_tenant" {
  description = "The tenant of whoever names none, when this cell is the default of its residency; null otherwise."
  type        = string
}

variable "central" {
  description = "central of infra/fleet.json: where the registry, published market values and the warehouse are."
  type = object({
    project         = string
    location        = string
    controlDatabase = string
    deployDatabase  = string
    marketDatabase  = string
  })
}

variable "indexes" {
  description = "infra/firestore.indexes.json: composite indexes and exemptions of tenants' databases."
  type = object({
    indexes = list(object({
      collectionGroup = string
      queryScope      = string
      fields          = list(object({ fieldPath = string, order = string }))
    }))
    fieldOverrides = list(object({
      collectionGroup = string
      fieldPath       = string
      ttl             = optional(bool, false)
      indexes         = list(object({ order = string, queryScope = string }))
    }))
  })
}

variable "market_indexes" {
  description = "infra/firestore.market-indexes.json: the same for the replica of market values."
  type = object({
    fieldOverrides = list(object({ collectionGroup = string, fieldPath = string, indexes = list(any) }))
  })
}

variable "artefact" {
  description = "What its functions run: the digest that GET /v1/cell shows, the object in the artefact bucket, the commit."
  type        = object({ digest = string, object = string, commit = string })
  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.artefact.digest))
    error_message = "The artefact's digest is 64 hexadecimal digits: the build writes it to apps/cell-api/dist/artefact.json."
  }
  validation {
    condition     = can(regex("^cells/[0-9a-f]{64}\\.zip$", var.artefact.object))
    error_message = "The artefact's object is named by the SHA-256 of its bytes: cells/<sha256>.zip."
  }
}

variable "proof" {
  description = "The secret that callers of its own hosts prove themselves by, in the project of its residency's front door; null before it may read that."
  type        = object({ project = string, secret = string })
}

variable "billing_account" {
  description = "Billing account that its budget is kept on."
  type        = string
}

variable "monthly_budget" {
  description = "Units of the account's currency a month at which people are told."
  type        = number
}

variable "alerts" {
  description = "alerts of infra/fleet.json: addresses of who is told when an alarm rings."
  type        = list(string)
}

variable "runbooks" {
  description = "Where runbooks are read, without the file's name."
  type        = string
}

variable "traces" {
  description = "Collector of traces in the cell's residency (OTLP over HTTP) with where it processes (eu, us, other), and how many of the traces that begin here are recorded, from 0 to 1; null: none."
  type        = object({ endpoint = string, ratio = number, jurisdiction = string })
  validation {
    condition     = var.traces == null ? true : startswith(var.traces.endpoint, "https://") && var.traces.ratio >= 0 && var.traces.ratio <= 1
    error_message = "Traces go to https://…, and the ratio is from 0 to 1."
  }
  validation {
    condition     = var.traces == null ? true : var.manifest.residency == "global" || var.traces.jurisdiction == var.manifest.residency
    error_message = "A residency's traces are not processed outside of it."
  }
}
