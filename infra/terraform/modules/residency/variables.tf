variable "residency" {
  description = "Whose front door stands on this: global, eu or us."
  type        = string
  validation {
    condition     = contains(["global", "eu", "us"], var.residency)
    error_message = "A residency is global, eu or us."
  }
}

variable "project" {
  description = "The project of its front door: edges of infra/fleet.json; the central one for global data."
  type        = string
}

variable "region" {
  description = "Where its router runs, and where its images and secrets are kept."
  type        = string
}

variable "central_project" {
  description = "Where deployers are."
  type        = string
}

variable "cells" {
  description = "Ids of its cells."
  type        = set(string)
}

variable "operators" {
  description = "Who publishes the directory: members such as group:platform@example.com."
  type        = set(string)
}
