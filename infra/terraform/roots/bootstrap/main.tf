# Applied once by a person, then by nobody but for a new cell: where state is kept, and who may deploy.
# The first time: without the backend block, then `terraform init -migrate-state -backend-config=prefix=bootstrap`.
terraform {
  required_version = ">= 1.9"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
  }
  backend "gcs" {}
}

variable "repository" {
  description = "The repository whose workflows may deploy: owner/name."
  type        = string
}

locals {
  infra = "${path.module}/../../.."
  fleet = jsondecode(file("${local.infra}/fleet.json"))
  files = fileset("${local.infra}/cells", "*/cell.json")
  cells = { for f in local.files : dirname(f) => jsondecode(file("${local.infra}/cells/${f}")) }
}

provider "google" {
  project = local.fleet.central.project
}

module "ci" {
  source          = "../../modules/ci"
  central_project = local.fleet.central.project
  location        = local.fleet.warehouse.global
  cells           = { for id, m in local.cells : id => { project = m.project } }
  doors           = merge({ global = local.fleet.central.project }, local.fleet.edges)
  repository      = var.repository
}
