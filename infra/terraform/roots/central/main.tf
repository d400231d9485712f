# The central project: registry, published market values, warehouse. `terraform init -backend-config=prefix=central`.
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

variable "analysts" {
  description = "Who may query the published dataset: members such as group:analysts@example.com."
  type        = set(string)
  default     = []
}

variable "records" {
  description = "What the domain's zone held before it was delegated here: mail (MX), proofs (TXT) and hosts that are not the fleet's."
  type        = list(object({ name = string, type = string, ttl = number, rrdatas = list(string) }))
  default     = []
}

variable "publisher_image" {
  description = "Image of the job that publishes market values, by digest."
  type        = string
}

variable "market_makers" {
  description = "Who may put files of market values where they are taken from: members such as serviceAccount:…"
  type        = set(string)
  default     = []
}

variable "runbooks" {
  description = "Where docs/runbooks is read."
  type        = string
  default     = "https://github.com/proveniq/cells/blob/main/docs/runbooks"
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

module "central" {
  source              = "../../modules/central"
  central             = local.fleet.central
  warehouse_locations = local.fleet.warehouse
  warehouse           = jsondecode(file("${local.infra}/warehouse.json"))
  market_indexes      = jsondecode(file("${local.infra}/firestore.market-indexes.json"))
  analysts            = var.analysts
  zone                = local.fleet.zone
  cells               = { for id, m in local.cells : id => { project = m.project, region = m.region, residency = m.residency } }
  doors               = merge({ global = local.fleet.central.project }, local.fleet.edges)
  records             = var.records
  publisher_image     = var.publisher_image
  market_makers       = var.market_makers
  alerts              = local.fleet.alerts
  runbooks            = var.runbooks
}
