# What cells that share a project share: one state a project, `terraform init -backend-config=prefix=projects/<project>`.
terraform {
  required_version = ">= 1.9"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
  backend "gcs" {}
}

variable "project" {
  description = "A project that a cell's manifest names, or the central one of infra/fleet.json."
  type        = string
  validation {
    condition     = contains(concat(values(local.all)[*].project, [local.fleet.central.project]), var.project)
    error_message = "No cell's manifest names this project, and it is not the central one of infra/fleet.json."
  }
}

locals {
  infra   = "${path.module}/../../.."
  fleet   = jsondecode(file("${local.infra}/fleet.json"))
  files   = fileset("${local.infra}/cells", "*/cell.json")
  all     = { for f in local.files : dirname(f) => jsondecode(file("${local.infra}/cells/${f}")) }
  cells   = { for id, m in local.all : id => m if m.project == var.project }
  central = var.project == local.fleet.central.project
  # Strictest first: one EU cell in a project binds the whole project.
  residencies = distinct(concat(values(local.cells)[*].residency, local.central ? ["global"] : []))
  residency   = [for r in ["eu", "us", "global"] : r if contains(local.residencies, r)][0]
  location = local.central ? local.fleet.warehouse.global : [
    for m in values(local.cells) : m.region if m.residency == local.residency
  ][0]
  of_cells = [
    "artifactregistry", "cloudbuild", "cloudfunctions", "cloudscheduler", "compute", "firebaserules", "firestore",
    "logging", "monitoring", "run", "secretmanager",
  ]
  of_centre = ["bigquery", "certificatemanager", "compute", "dns", "firestore", "iamcredentials", "logging", "run", "storage", "sts"]
}

provider "google" {
  project = var.project
}

module "project" {
  source    = "../../modules/project"
  project   = var.project
  residency = local.residency
  location  = local.location
  apis = toset([
    for name in concat(length(local.cells) > 0 ? local.of_cells : [], local.central ? local.of_centre : []) :
    "${name}.googleapis.com"
  ])
}
