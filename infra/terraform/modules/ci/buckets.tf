# Terraform's state, a prefix a root, and artefacts, each named by the SHA-256 of its bytes. Nothing in them is overwritten
# without a trace, and nobody outside is ever let in.
resource "google_storage_bucket" "this" {
  for_each                    = { tfstate = 50, artefacts = 5 }
  project                     = var.central_project
  name                        = "${var.central_project}-${each.key}"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  versioning {
    enabled = true
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      num_newer_versions = each.value
    }
  }
}
