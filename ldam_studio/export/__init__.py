"""Pictures with their recipe: writing, reading, and running them again."""
