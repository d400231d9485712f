output "artefact" {
  description = "What the cell runs; a deploy that fails goes back to it."
  value       = { digest = var.artefact_digest, object = var.artefact_object, commit = var.git_commit }
}
