variable "project" {
  description = "The Google Cloud project."
  type        = string
}

variable "residency" {
  description = "The strictest promise made to anybody whose data is in it: eu, us or global."
  type        = string
  validation {
    condition     = contains(["eu", "us", "global"], var.residency)
    error_message = "A residency is eu, us or global."
  }
}

variable "location" {
  description = "Where its logs are kept: a region inside the residency."
  type        = string
}

variable "apis" {
  description = "Services of Google's that it uses."
  type        = set(string)
}

variable "central_project" {
  description = "Where artefacts are."
  type        = string
}

variable "has_cells" {
  description = "Whether functions of cells are built and called here."
  type        = bool
}
