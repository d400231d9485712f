# What is shared in a project: one state a project, `terraform init -backend-config=prefix=projects/<project>`.
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

variable "project" {
  description = "A project that a cell's manifest names, or one of infra/fleet.json: the central one, or that of a front door."
  type        = string
  validation {
    condition     = contains(concat(values(local.all)[*].project, values(local.doors)), var.project)
    error_message = "No cell's manifest names this project, and infra/fleet.json does not either."
  }
}

variable "operators" {
  description = "Who publishes the directory: members such as group:platform@example.com."
  type        = set(string)
  default     = []
}

locals {
  infra   = "${path.module}/../../.."
  fleet   = jsondecode(file("${local.infra}/fleet.json"))
  files   = fileset("${local.infra}/cells", "*/cell.json")
  all     = { for f in local.files : dirname(f) => jsondecode(file("${local.infra}/cells/${f}")) }
  cells   = { for id, m in local.all : id => m if m.project == var.project }
  central = var.project == local.fleet.central.project
  # Front doors by residency: where data may be anywhere, that of the centre.
  doors = merge({ global = local.fleet.central.project }, local.fleet.edges)
  own   = { for r, project in local.doors : r => local.all[local.fleet.defaults[r].cell].region if project == var.project && contains(keys(local.fleet.defaults), r) }
  # Strictest first: one EU cell in a project binds the whole project.
  residencies = distinct(concat(values(local.cells)[*].residency, keys(local.own)))
  residency   = [for r in ["eu", "us", "global"] : r if contains(local.residencies, r)][0]
  location = local.central ? local.fleet.warehouse.global : concat(
    [for m in values(local.cells) : m.region if m.residency == local.residency],
    [for r, region in local.own : region if r == local.residency],
  )[0]
  of_cells = [
    "artifactregistry", "cloudbuild", "cloudfunctions", "cloudscheduler", "compute", "firebaserules", "firestore",
    "logging", "monitoring", "run", "secretmanager",
  ]
  of_doors = ["artifactregistry", "certificatemanager", "compute", "logging", "monitoring", "run", "secretmanager"]
  # Deployers are accounts of the centre: what they call in other projects must be on here too.
  of_centre = [
    "bigquery", "billingbudgets", "cloudresourcemanager", "cloudscheduler", "dns", "firestore", "iam", "iamcredentials", "logging",
    "monitoring", "orgpolicy", "run", "storage", "sts",
  ]
}

provider "google" {
  project = var.project
}

module "project" {
  source          = "../../modules/project"
  project         = var.project
  residency       = local.residency
  location        = local.location
  central_project = local.fleet.central.project
  has_cells       = length(local.cells) > 0
  apis = toset([
    for name in concat(
      length(local.cells) > 0 ? local.of_cells : [],
      length(local.own) > 0 ? local.of_doors : [],
      local.central ? local.of_centre : [],
    ) : "${name}.googleapis.com"
  ])
}

module "residency" {
  for_each        = local.own
  source          = "../../modules/residency"
  residency       = each.key
  project         = var.project
  region          = each.value
  central_project = local.fleet.central.project
  cells           = toset([for id, m in local.all : id if m.residency == each.key])
  operators       = var.operators
  depends_on      = [module.project]
}
