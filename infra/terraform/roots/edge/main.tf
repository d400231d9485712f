# The load balancers of one residency, one state: `terraform init -backend-config=prefix=edge/<residency>`. The global one
# is a single load balancer; a residency has one in each region where it has cells, so that TLS ends there.
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

variable "residency" {
  description = "global, eu or us."
  type        = string
}

variable "router_image" {
  description = "Image of the router, by digest."
  type        = string
}

variable "traces" {
  description = "Collector of traces in the residency (OTLP over HTTP) with where it processes (eu, us, other), and how many of the traces that begin here are recorded, from 0 to 1; null: none."
  type        = object({ endpoint = string, ratio = number, jurisdiction = string })
  default     = null
}

variable "runbooks" {
  description = "Where docs/runbooks is read."
  type        = string
  default     = "https://github.com/proveniq/cells/blob/main/docs/runbooks"
}

locals {
  infra   = "${path.module}/../../.."
  fleet   = jsondecode(file("${local.infra}/fleet.json"))
  files   = fileset("${local.infra}/cells", "*/cell.json")
  all     = { for f in local.files : dirname(f) => jsondecode(file("${local.infra}/cells/${f}")) }
  cells   = { for id, m in local.all : id => m if m.residency == var.residency }
  primary = local.cells[local.fleet.defaults[var.residency].cell].region
  regions = var.residency == "global" ? toset([local.primary]) : toset(values(local.cells)[*].region)
}

provider "google" {
  project = var.residency == "global" ? local.fleet.central.project : local.fleet.edges[var.residency]
}

module "edge" {
  for_each     = local.regions
  source       = "../../modules/edge"
  residency    = var.residency
  region       = each.value
  is_primary   = each.value == local.primary
  fleet        = local.fleet
  cells        = local.cells
  router_image = var.router_image
  traces       = var.traces
  runbooks     = var.runbooks
}
