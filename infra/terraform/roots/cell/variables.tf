variable "cell_id" {
  description = "The cell: a folder in infra/cells."
  type        = string
}

variable "artefact_digest" {
  description = "Digest of the artefact, as the build writes it to apps/cell-api/dist/artefact.json and GET /v1/cell shows it."
  type        = string
}

variable "artefact_object" {
  description = "Its object in the artefact bucket: cells/<sha256 of the zip>.zip."
  type        = string
}

variable "git_commit" {
  description = "The commit it was built from."
  type        = string
}

variable "proof" {
  description = "Whether it is given the proof of its residency. False at its first apply alone: the accounts that read the secret come with the cell, and the centre lets them read it after that. Until then nobody is heard at its own hosts."
  type        = bool
  default     = true
}

variable "billing_account" {
  description = "Billing account for the cell's budget."
  type        = string
}

variable "monthly_budget" {
  description = "Units of the account's currency a month at which people are told."
  type        = number
  default     = 2000
}

variable "adopted" {
  description = "Databases of the manifest that are there already, such as a restored one: they are taken over as they are. The (default) one always is."
  type        = set(string)
  default     = []
}

variable "adopted_indexes" {
  description = "Composite indexes that are there already, in Cell 0 or a restored database: full names, by the keys that the plan gives them."
  type        = map(string)
  default     = {}
}

variable "runbooks" {
  description = "Where docs/runbooks is read."
  type        = string
  default     = "https://github.com/proveniq/cells/blob/main/docs/runbooks"
}

variable "traces" {
  description = "Collector of traces in the cell's residency (OTLP over HTTP) with where it processes (eu, us, other), and how many of the traces that begin here are recorded, from 0 to 1; null: none."
  type        = object({ endpoint = string, ratio = number, jurisdiction = string })
  default     = null
}
