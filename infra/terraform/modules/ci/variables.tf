variable "central_project" {
  description = "Where deployers, state and artefacts are."
  type        = string
}

variable "location" {
  description = "Where state and artefacts are kept. Neither holds anything of a tenant's."
  type        = string
}

variable "cells" {
  description = "Project of each cell."
  type        = map(object({ project = string }))
}

variable "doors" {
  description = "Project of each residency's front door."
  type        = map(string)
}

variable "repository" {
  description = "The repository whose workflows may deploy: owner/name."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The repository is owner/name, as GitHub writes it: anything shorter would let in other repositories."
  }
}
